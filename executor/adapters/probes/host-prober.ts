import { z } from 'zod';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { httpResponseSchema } from '../../../src/model/health.ts';
import type { ProbeSpec } from '../../../src/model/task-spec.ts';
import type { ProbeOutcome } from '../../core/tasks/health-check.ts';
import type { Prober, ProbeTarget } from '../../core/tasks/probing.ts';
import type { DockerContainers } from '../docker/docker-containers.ts';
import { Gate } from '../../../src/runtime/gate.ts';
import { runProgram } from '../program.ts';
import type { Finding, Question } from './question.ts';

export interface HostProberOptions {
  readonly containers: Pick<DockerContainers, 'inspect' | 'run'>;
  /** The Node to run the probe program with. */
  readonly node: string;
  /** The built probe-main.ts. */
  readonly program: string;
}

/** To start one takes some 80 ms of a processor: more at once would only take time from the apps. */
const startsAtOnce = 4;
/**
 * Probes of the network that are started or wait for an answer: each is a process that holds 18 MiB, which may count as the
 * executor's.
 */
const networkProbesAtOnce = 8;
/** Of these, such as found no answer in time when they were made last: tasks that hang leave places for those that do not. */
const lateProbesAtOnce = 4;
/** Commands cost the app and not the host. */
const commandsAtOnce = 128;
/** What starting a probe may take on a busy host, in milliseconds. */
const startLimitMs = 10_000;

const response = httpResponseSchema.optional();
const outcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('success'), response }),
  z.object({ kind: z.literal('failure'), cause: z.string(), response }),
  z.object({ kind: z.literal('ignored') }),
]);
const findingSchema = z.object({ outcome: outcomeSchema, late: z.boolean() });

/**
 * Probes containers of this host: over the network from inside their own namespace, as they see themselves; commands
 * in the app's container. Few start at the same time, more may wait, and those who go on not answering hold nobody up; time
 * in the queue is not the app's.
 */
export class HostProber implements Prober {
  readonly #options: HostProberOptions;
  readonly #starts = new Gate(startsAtOnce);
  readonly #networkProbes = new Gate(networkProbesAtOnce);
  readonly #lateProbes = new Gate(lateProbesAtOnce);
  /** Probes that were late the last time. A task has the same object as long as it lives. */
  readonly #late = new WeakSet<ProbeSpec>();
  readonly #commands = new Gate(commandsAtOnce);

  constructor(options: HostProberOptions) {
    this.#options = options;
  }

  /** See Prober. */
  probe(probe: ProbeSpec, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome> {
    if (probe.kind === 'command') {
      const run = (leave: () => void) => this.#command(probe.command, target, timeoutMs, leave);
      return this.#commands.pass(() => this.#starts.pass(run));
    }
    const question = { probe, address: target.address, timeoutMs };
    const start = (leave: () => void) => this.#network(question, target, leave);
    const askIt = () => this.#networkProbes.pass(() => this.#starts.pass(start));
    return this.#late.has(probe) ? this.#lateProbes.pass(askIt) : askIt();
  }

  async #network(question: Question, target: ProbeTarget, onStarted: () => void): Promise<ProbeOutcome> {
    const { node, program } = this.#options;
    const pid = target.sandboxPid ?? (await this.#pidOf(target.container));
    const args = ['--target', String(pid), '--net', '--', node, program];
    const limitMs = question.timeoutMs + startLimitMs;
    const answer = await runProgram('nsenter', args, JSON.stringify(question), limitMs, onStarted);
    const { outcome, late } = findingOf(answer);
    if (late) this.#late.add(question.probe);
    else this.#late.delete(question.probe);
    return outcome;
  }

  async #pidOf(container: string): Promise<number> {
    const facts = await this.#options.containers.inspect(container);
    if (facts?.running === true) return facts.pid;
    throw new PatchpanelError('not-found', `container ${container} does not run`);
  }

  async #command(
    command: string,
    target: ProbeTarget,
    timeoutMs: number,
    onStarted: () => void,
  ): Promise<ProbeOutcome> {
    const argv = ['/bin/sh', '-c', command];
    const ended = await this.#options.containers.run(target.container, argv, timeoutMs, onStarted);
    if (ended === 'timeout') return { kind: 'failure', cause: `did not end within ${timeoutMs} ms` };
    if (ended.exitCode === 0) return { kind: 'success' };
    const words = ended.output === '' ? '' : `: ${ended.output}`;
    return { kind: 'failure', cause: `exit status ${ended.exitCode}${words}` };
  }
}

/** The error of a parser would cite the text, and with it perhaps what the app said: that must not reach a log. */
function findingOf(answer: string): Finding {
  try {
    return findingSchema.parse(JSON.parse(answer));
  } catch {
    throw new PatchpanelError(
      'external',
      `the probe program said ${answer.length} characters that are no finding`,
    );
  }
}
