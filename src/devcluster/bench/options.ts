import { Command, InvalidArgumentError } from 'commander';

/** The parts of a run, in the order in which they are measured. */
export const parts = [
  // Before anything runs: it needs a host without an executor.
  'switch',
  'attach',
  'burst',
  'traffic',
  'handover',
  'executor',
  'scheduler',
  'api',
  'failover',
  'fabric',
] as const;

export type Part = (typeof parts)[number];

export interface BenchOptions {
  /** Parts to run, in the order of `parts`. */
  readonly only: readonly Part[];
  /** File for the figures as JSON. */
  readonly out?: string;
  /** Starts of each kind that are measured one by one. */
  readonly samples: number;
}

/** Reads the command line. @throws CommanderError after it has told what is wrong, or helped */
export function readOptions(args: readonly string[]): BenchOptions {
  const command = new Command('bench')
    .description(
      'measure the switch, starts, bursts, traffic, handovers, the executor, the scheduler, its API, its failover and the fabric on this machine',
    )
    .option('--only <parts>', `only these, divided by commas: ${parts.join(', ')}`, partsOf, parts)
    .option('--samples <number>', 'starts of each kind, one by one', samplesOf, 30)
    .option('--out <file>', 'write the figures as JSON too')
    .exitOverride();
  return command.parse(args, { from: 'user' }).opts<BenchOptions>();
}

function partsOf(text: string): readonly Part[] {
  const names = text.split(',');
  const unknown = names.find((name) => !parts.some((part) => part === name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`there is no part '${unknown}', only ${parts.join(', ')}`);
  }
  return parts.filter((part) => names.includes(part));
}

function samplesOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 20)
    throw new InvalidArgumentError('must be a whole number from 20');
  return count;
}
