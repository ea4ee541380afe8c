import path from 'node:path';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { launch, type Runner } from './launcher/launch.ts';

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

let run: Runner = launch;

/** Says who runs programs for this process, once, when it starts: until then it does so itself. */
export function runProgramsBy(runner: Runner): void {
  run = runner;
}

/** A program that comes in the same tarball as the one that runs. */
export const programBeside = (name: string): string => path.join(path.dirname(process.argv[1] ?? ''), name);

/**
 * Runs a program to its end without a shell, with `input` on its standard input, and gives what it said, whatever its
 * exit code is. For the hot path of an attach, which is three small programs long: the general runner in src/runtime
 * costs some 3 ms more for each. `onOutput` is called when it first writes to its standard output.
 * @throws PatchpanelError `external` when it does not start or dies by a signal, `deadline` after timeoutMs (it is
 * killed then)
 */
export async function tryProgram(
  file: string,
  args: readonly string[],
  input: string,
  timeoutMs: number,
  onOutput?: () => void,
): Promise<ProgramResult> {
  const outcome = await run({ file, args, input, timeoutMs }, onOutput);
  const what = `${file} ${args.join(' ')}`;
  switch (outcome.kind) {
    case 'ended':
      return outcome;
    case 'late':
      throw new PatchpanelError('deadline', `${what} took longer than ${timeoutMs} ms`);
    case 'killed':
      throw new PatchpanelError('external', `${what}: was ended by ${outcome.signal}`);
    case 'not-started':
      throw new PatchpanelError('external', `${what}: did not start: ${outcome.problem}`);
  }
}

/**
 * Like tryProgram, and gives the standard output.
 * @throws PatchpanelError `external` with the program's own words also when the exit code is not 0
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  input: string,
  timeoutMs: number,
  onOutput?: () => void,
): Promise<string> {
  const { exitCode, stdout, stderr } = await tryProgram(file, args, input, timeoutMs, onOutput);
  if (exitCode === 0) return stdout;
  const words = stderr.trim() || stdout.trim();
  throw new PatchpanelError('external', `${file} ${args.join(' ')} ended with ${exitCode}: ${words}`, {
    context: { exitCode },
  });
}
