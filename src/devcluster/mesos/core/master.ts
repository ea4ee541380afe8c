import type { SchedulerCall } from '../../../../proto/mesos.gen.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Timings } from '../options.ts';
import { Allocator } from './allocator.ts';
import { disconnectAgent, receive } from './master-agents.ts';
import { handleCall } from './master-calls.ts';
import { disconnect, subscribe } from './master-frameworks.ts';
import { makeOffers } from './master-offers.ts';
import { markUnreachable } from './master-pings.ts';
import {
  emptyMasterState,
  tell,
  type EventStream,
  type Framework,
  type MasterContext,
  type MasterIdentity,
} from './master-state.ts';
import type { Connection, ToAgent, ToMaster } from './messages.ts';

export interface MasterOptions {
  readonly identity: MasterIdentity;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timings: Timings;
  readonly log: Logger;
}

/**
 * One run of a leading master: everything that it decides, without HTTP.
 * INVARIANTS: an agent's resources are free, offered, or held by tasks and executors, never two of these; an offer
 * is used at most once; after `stop` nothing is sent any more.
 */
export class Master {
  readonly context: MasterContext;
  #cancelAllocation: (() => void) | undefined;
  #cancelBatch: (() => void) | undefined;
  #cancelHeartbeats = new Map<EventStream, () => void>();
  #stopped = false;

  constructor(options: MasterOptions) {
    this.context = {
      ...options,
      startedAt: options.clock.now(),
      state: emptyMasterState(),
      allocator: new Allocator(),
      requestAllocation: () => this.#requestAllocation(),
    };
    this.#scheduleBatch();
  }

  framework(id: string): Framework | undefined {
    return this.context.state.frameworks.get(id);
  }

  /** SUBSCRIBE on a stream that is already open. */
  subscribe(call: SchedulerCall, stream: EventStream): void {
    if (call.subscribe === undefined) return;
    subscribe(this.context, call.subscribe, stream);
    this.#beat(stream);
  }

  /** The scheduler's end of a stream is gone. */
  streamClosed(stream: EventStream): void {
    this.#cancelHeartbeats.get(stream)?.();
    this.#cancelHeartbeats.delete(stream);
    if (!this.#stopped) disconnect(this.context, stream);
  }

  /** Any call but SUBSCRIBE, from a framework that is connected; it was checked and answered before. */
  call(framework: Framework, call: SchedulerCall): void {
    handleCall(this.context, framework, call);
  }

  receive(connection: Connection<ToAgent>, message: ToMaster): void {
    if (!this.#stopped) receive(this.context, connection, message);
  }

  agentDisconnected(connection: Connection<ToAgent>): void {
    if (!this.#stopped) disconnectAgent(this.context, connection);
  }

  /** False when the agent is not registered. */
  markUnreachable(agentId: string): boolean {
    const agent = this.context.state.agents.get(agentId);
    if (agent === undefined) return false;
    markUnreachable(this.context, agent, 'health check timed out');
    return true;
  }

  /** Ends all timers and streams; the master is dead. */
  stop(): void {
    this.#stopped = true;
    this.#cancelAllocation?.();
    this.#cancelBatch?.();
    for (const cancel of this.#cancelHeartbeats.values()) cancel();
    for (const framework of this.context.state.frameworks.values()) framework.cancelFailover?.();
    for (const agent of this.context.state.agents.values()) {
      agent.cancelPing?.();
      agent.connection?.close();
    }
  }

  #beat(stream: EventStream): void {
    const { clock, timings, state } = this.context;
    const cancel = clock.after(timings.heartbeatIntervalMs, () => {
      const framework = [...state.frameworks.values()].find((one) => one.stream === stream);
      if (framework === undefined) return;
      tell(framework, { type: 'HEARTBEAT' });
      this.#beat(stream);
    });
    this.#cancelHeartbeats.set(stream, cancel);
  }

  #requestAllocation(): void {
    if (this.#stopped || this.#cancelAllocation !== undefined) return;
    this.#cancelAllocation = this.context.clock.after(0, () => {
      this.#cancelAllocation = undefined;
      makeOffers(this.context);
    });
  }

  #scheduleBatch(): void {
    const { clock, timings } = this.context;
    this.#cancelBatch = clock.after(timings.allocationIntervalMs, () => {
      makeOffers(this.context);
      this.#scheduleBatch();
    });
  }
}
