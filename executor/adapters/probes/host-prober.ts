import { z } from 'zod';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { httpResponseSchema } from '../../../src/model/health.ts';
import type { ProbeSpec } from '../../../src/model/task-spec.ts';
import type { ProbeOutcome } from '../../core/tasks/health-check.ts';
import type { Prober, ProbeTarget } from '../../core/tasks/probing.ts';
import type { DockerContainers } from '../docker/docker-containers.ts';
import { Gate } from '../../../src/runtime/gate.ts';
import { runProgram } from '../program.ts';
import type { Question } from './question.ts';

export interface HostProberOptions {
  readonly containers: Pick<DockerContainers, 'inspect' | 'run'>;
  /** The Node to run the probe program with. */
  readonly node: string;
  /** The built probe-main.ts. */
  readonly program: string;
}

/** Each probe is a process for some 80 ms: more at once would only take time from the apps. */
const probesAtOnce = 4;
/** What starting a probe may take on a busy host, in milliseconds. */
const startLimitMs = 10_000;

const response = httpResponseSchema.optional();
const outcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('success'), response }),
  z.object({ kind: z.literal('failure'), cause: z.string(), response }),
  z.object({ kind: z.literal('ignored') }),
]);

/**
 * Probes containers of this host: over the network from inside their own namespace, as they see themselves; commands
 * in the app's container. At most four at a time; time in the queue is not the app's.
 */
export class HostProber implements Prober {
  readonly #options: HostProberOptions;
  readonly #gate = new Gate(probesAtOnce);

  constructor(options: HostProberOptions) {
    this.#options = options;
  }

  /** See Prober. */
  probe(probe: ProbeSpec, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome> {
    return this.#gate.pass(() =>
      probe.kind === 'command'
        ? this.#command(probe.command, target, timeoutMs)
        : this.#network({ probe, address: target.address, timeoutMs }, target),
    );
  }

  async #network(question: Question, target: ProbeTarget): Promise<ProbeOutcome> {
    const { node, program } = this.#options;
    const pid = target.sandboxPid ?? (await this.#pidOf(target.container));
    const args = ['--target', String(pid), '--net', '--', node, program];
    const limitMs = question.timeoutMs + startLimitMs;
    const answer = await runProgram('nsenter', args, JSON.stringify(question), limitMs);
    return outcomeOf(answer);
  }

  async #pidOf(container: string): Promise<number> {
    const facts = await this.#options.containers.inspect(container);
    if (facts?.running === true) return facts.pid;
    throw new PatchpanelError('not-found', `container ${container} does not run`);
  }

  async #command(command: string, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome> {
    const argv = ['/bin/sh', '-c', command];
    const ended = await this.#options.containers.run(target.container, argv, timeoutMs);
    if (ended === 'timeout') return { kind: 'failure', cause: `did not end within ${timeoutMs} ms` };
    if (ended.exitCode === 0) return { kind: 'success' };
    const words = ended.output === '' ? '' : `: ${ended.output}`;
    return { kind: 'failure', cause: `exit status ${ended.exitCode}${words}` };
  }
}

/** The error of a parser would cite the text, and with it perhaps what the app said: that must not reach a log. */
function outcomeOf(answer: string): ProbeOutcome {
  try {
    return outcomeSchema.parse(JSON.parse(answer));
  } catch {
    throw new PatchpanelError(
      'external',
      `the probe program said ${answer.length} characters that are no outcome`,
    );
  }
}
