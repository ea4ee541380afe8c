import { messageToExecutor, type MasterCall } from '../../../src/mesos/calls.ts';
import type { AgentId } from '../../../src/model/ids.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { ExecutorRecord } from '../../core/world.ts';

export interface LeaderAnnouncerOptions {
  readonly clock: Clock;
  readonly send: (call: MasterCall) => Promise<unknown>;
  readonly executors: () => Iterable<ExecutorRecord>;
  readonly isConnected: (host: AgentId) => boolean;
  readonly leader: { readonly url: string; readonly term: number };
  readonly everyMs: number;
}

/**
 * Tells executors that have no view stream where the leader is. Messages may get lost, so it is said again until the
 * executor comes.
 */
export class LeaderAnnouncer {
  readonly #options: LeaderAnnouncerOptions;
  readonly #data: Uint8Array;
  #cancel: (() => void) | undefined;

  constructor(options: LeaderAnnouncerOptions) {
    this.#options = options;
    this.#data = new TextEncoder().encode(JSON.stringify({ schema: 1, leader: options.leader }));
  }

  /** Says it now, and again every `everyMs`. */
  start(): void {
    this.stop();
    const { executors, isConnected, send, clock, everyMs } = this.#options;
    for (const { agentId, executorId } of executors()) {
      if (!isConnected(agentId)) void send(messageToExecutor(executorId, agentId, this.#data));
    }
    this.#cancel = clock.after(everyMs, () => this.start());
  }

  stop(): void {
    this.#cancel?.();
  }
}
