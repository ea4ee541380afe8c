import { connect, type Socket } from 'node:net';
import { backoffMs } from '../../../src/runtime/backoff.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { messageOf } from '../../../src/runtime/errors.ts';
import {
  encodeMessage,
  flowReports,
  MessageFramer,
  messageType,
  monitorRemovals,
  monitorWrites,
  type OpenFlowMessage,
} from './messages.ts';

/** A connection to a socket that is not there costs next to nothing, and every wait is one without flows. */
const reconnectBackoff = { baseMs: 20, maxMs: 100, factor: 1.5 };
const ANSWER_WITHIN_MS = 5_000;
/** Of the request for removals from the canary's table, and of that for what is written in any table. */
const REMOVALS_XID = 1;
const WRITES_XID = 2;

export interface SwitchWatchOptions {
  readonly socketPath: string;
  /** Table of the canary: nothing is removed from it in normal life. */
  readonly canaryTable: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Open vSwitch answers on this bridge: at first and after each restart, when its tables are empty. */
  readonly onUp: () => void;
  readonly onDown: (reason: string) => void;
  /** Somebody else removed the canary, and who knows what more. */
  readonly onCanaryLost: () => void;
  /** Whether a flow with this cookie is one that we wrote. */
  readonly isOwn: (cookie: bigint) => boolean;
  /** Somebody else wrote a flow. Called once for each message of Open vSwitch that tells of such flows. */
  readonly onForeignFlow: () => void;
}

/**
 * An OpenFlow connection that is kept open to notice, without polling, that ovs-vswitchd has gone, that the flows
 * were wiped or that somebody else writes flows.
 * INVARIANTS: at most one connection; onUp and onDown alternate, beginning with onUp.
 */
export class SwitchWatch {
  readonly #options: SwitchWatchOptions;
  #socket: Socket | undefined;
  #up = false;
  #stopped = false;
  #attempt = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(options: SwitchWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#socket?.destroy();
  }

  #connect(): void {
    const framer = new MessageFramer();
    const socket = connect(this.#options.socketPath);
    this.#socket = socket;
    let reason = 'Open vSwitch closed the connection';
    // Covers the time until the greeting: a process that is stuck accepts but does not answer.
    this.#cancelTimer = this.#options.clock.after(ANSWER_WITHIN_MS, () => socket.destroy());
    socket.on('connect', () => this.#greet(socket));
    socket.on('error', (error) => (reason = messageOf(error)));
    socket.on('close', () => this.#closed(reason));
    socket.on('data', (chunk) => {
      try {
        for (const message of framer.push(chunk)) this.#receive(socket, message);
      } catch (error) {
        reason = messageOf(error);
        socket.destroy();
      }
    });
  }

  #greet(socket: Socket): void {
    socket.write(encodeMessage({ type: messageType.hello, xid: 0, body: new Uint8Array(0) }));
    const removals = monitorRemovals(this.#options.canaryTable);
    socket.write(encodeMessage({ type: messageType.multipartRequest, xid: REMOVALS_XID, body: removals }));
    socket.write(
      encodeMessage({ type: messageType.multipartRequest, xid: WRITES_XID, body: monitorWrites() }),
    );
  }

  #receive(socket: Socket, { type, xid, body }: OpenFlowMessage): void {
    if (type === messageType.echoRequest)
      socket.write(encodeMessage({ type: messageType.echoReply, xid, body }));
    if (type !== messageType.multipartReply) return;
    if (xid === REMOVALS_XID && !this.#up) this.#answered();
    else this.#judge(body);
  }

  #judge(body: Uint8Array): void {
    let foreign = false;
    for (const report of flowReports(body)) {
      if (report.kind === 'removed') return this.#options.onCanaryLost();
      foreign ||= !this.#options.isOwn(report.cookie);
    }
    if (foreign) this.#options.onForeignFlow();
  }

  #answered(): void {
    this.#cancelTimer?.();
    this.#attempt = 0;
    this.#up = true;
    this.#options.onUp();
  }

  #closed(reason: string): void {
    this.#cancelTimer?.();
    const wasUp = this.#up;
    this.#up = false;
    if (this.#stopped) return;
    if (wasUp) this.#options.onDown(reason);
    const delayMs = backoffMs(reconnectBackoff, this.#attempt, this.#options.random);
    this.#attempt += 1;
    this.#cancelTimer = this.#options.clock.after(delayMs, () => this.#connect());
  }
}
