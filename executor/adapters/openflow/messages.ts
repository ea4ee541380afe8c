import { PatchpanelError } from '../../../src/runtime/errors.ts';

/** The few OpenFlow 1.4 messages that are needed to notice a restart and the loss of flows, and to read counters. */
const VERSION = 0x05;
const HEADER_BYTES = 8;

export const messageType = {
  hello: 0,
  error: 1,
  echoRequest: 2,
  echoReply: 3,
  multipartRequest: 18,
  multipartReply: 19,
};

const FLOW_STATISTICS = 1;
const AGGREGATE_STATISTICS = 2;
const FLOW_MONITOR = 16;
const ALL_TABLES = 0xff;
const REPORT_ADDED = 1 << 1;
const REPORT_REMOVED = 1 << 2;
const REPORT_CHANGED = 1 << 3;
const EVENT_ADDED = 1;
const EVENT_REMOVED = 2;
const EVENT_CHANGED = 3;
const ANY = 0xffffffff;
/** A flow's entry up to its match. */
const FLOW_ENTRY_BYTES = 48;

export interface OpenFlowMessage {
  readonly type: number;
  readonly xid: number;
  readonly body: Uint8Array;
}

/** A message as it goes over the wire. */
export function encodeMessage(message: OpenFlowMessage): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + message.body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, message.type);
  view.setUint16(2, bytes.length);
  view.setUint32(4, message.xid);
  bytes.set(message.body, HEADER_BYTES);
  return bytes;
}

/** Body of a multipart request that asks to be told of each flow that is removed from `table`. */
export const monitorRemovals = (table: number): Uint8Array => monitorRequest(1, REPORT_REMOVED, table);

/** Body of a multipart request that asks to be told of each flow that is added or changed in any table. */
export const monitorWrites = (): Uint8Array => monitorRequest(2, REPORT_ADDED | REPORT_CHANGED, ALL_TABLES);

function monitorRequest(monitor: number, flags: number, table: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 + 24));
  view.setUint16(0, FLOW_MONITOR);
  view.setUint32(8, monitor);
  view.setUint32(12, ANY);
  view.setUint32(16, ANY);
  view.setUint16(20, flags);
  view.setUint8(22, table);
  writeEmptyMatch(view, 24);
  return new Uint8Array(view.buffer);
}

/** What a flow monitor tells of one flow. */
export type FlowReport = { readonly kind: 'removed' } | { readonly kind: 'written'; readonly cookie: bigint };

/** The reports in the body of a multipart reply; none when it is about something else (OpenFlow 1.4, 7.3.5.15.2). */
export function* flowReports(body: Uint8Array): Generator<FlowReport> {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 8 || view.getUint16(0) !== FLOW_MONITOR) return;
  for (let at = 8; at + 4 <= body.length;) {
    const [length, event] = [view.getUint16(at), view.getUint16(at + 2)];
    if (event === EVENT_REMOVED) yield { kind: 'removed' };
    else if ((event === EVENT_ADDED || event === EVENT_CHANGED) && at + 24 <= body.length)
      yield { kind: 'written', cookie: view.getBigUint64(at + 16) };
    if (length < 4) return;
    at += length;
  }
}

/** What a flow has counted. `identity` is the same for the same table, priority and match, and no other flow has it. */
export interface FlowCount {
  readonly identity: string;
  readonly cookie: bigint;
  readonly packets: number;
  readonly bytes: number;
}

/** What flows have counted together, and how many there are. */
export interface FlowSums {
  readonly packets: number;
  readonly flows: number;
}

/** Body of a multipart request for the counters of the flows of a table with that cookie under that mask. */
export function statisticsRequest(
  kind: 'flow' | 'aggregate',
  { table, cookie, mask }: { readonly table: number; readonly cookie: bigint; readonly mask: bigint },
): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 + 40));
  view.setUint16(0, kind === 'flow' ? FLOW_STATISTICS : AGGREGATE_STATISTICS);
  view.setUint8(8, table);
  view.setUint32(12, ANY);
  view.setUint32(16, ANY);
  view.setBigUint64(24, cookie);
  view.setBigUint64(32, mask);
  writeEmptyMatch(view, 40);
  return new Uint8Array(view.buffer);
}

/** Whether more replies to the same request follow. */
export const tellsMore = (body: Uint8Array): boolean => body.length >= 4 && (body[3]! & 1) === 1;

/** The sums in the replies to an aggregate request. @throws PatchpanelError `protocol` */
export function sumsOf(bodies: readonly Uint8Array[]): FlowSums {
  const body = bodies[0];
  if (body === undefined || body.length < 8 + 20)
    throw new PatchpanelError('protocol', 'an aggregate of flows that is too short');
  const view = viewOf(body);
  return { packets: Number(view.getBigUint64(8)), flows: view.getUint32(24) };
}

/** The counters in one reply to a flow request. @throws PatchpanelError `protocol` when a length cannot be */
export function countsOf(body: Uint8Array): FlowCount[] {
  const view = viewOf(body);
  const counts: FlowCount[] = [];
  for (let at = 8; at < body.length;) {
    const left = body.length - at;
    const length = left < FLOW_ENTRY_BYTES ? 0 : view.getUint16(at);
    if (length < FLOW_ENTRY_BYTES + 4 || length > left)
      throw new PatchpanelError('protocol', `an entry of ${length} bytes among the counters of flows`);
    const match = at + FLOW_ENTRY_BYTES;
    const matchEnd = Math.min(match + view.getUint16(match + 2), at + length);
    const text = Buffer.from(body.buffer, body.byteOffset + match, matchEnd - match).toString('latin1');
    counts.push({
      identity: `${view.getUint8(at + 2)} ${view.getUint16(at + 12)} ${text}`,
      cookie: view.getBigUint64(at + 24),
      packets: Number(view.getBigUint64(at + 32)),
      bytes: Number(view.getBigUint64(at + 40)),
    });
    at += length;
  }
  return counts;
}

const viewOf = (body: Uint8Array): DataView => new DataView(body.buffer, body.byteOffset, body.byteLength);

/** An empty OXM match: type 1, 4 bytes long, padded to 8. */
function writeEmptyMatch(view: DataView, at: number): void {
  view.setUint16(at, 1);
  view.setUint16(at + 2, 4);
}

/**
 * Cuts a byte stream into OpenFlow messages.
 * INVARIANT: holds back less than one message, and a message is at most 65,535 bytes long.
 */
export class MessageFramer {
  #held: Uint8Array = new Uint8Array(0);

  /** @throws PatchpanelError `protocol` when a length is shorter than a header */
  push(chunk: Uint8Array): OpenFlowMessage[] {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const messages: OpenFlowMessage[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = view.getUint16(at + 2);
      if (length < HEADER_BYTES)
        throw new PatchpanelError('protocol', `an OpenFlow message of ${length} bytes`);
      if (bytes.length - at < length) break;
      const body = bytes.slice(at + HEADER_BYTES, at + length);
      messages.push({ type: view.getUint8(at + 1), xid: view.getUint32(at + 4), body });
      at += length;
    }
    this.#held = bytes.slice(at);
    return messages;
  }
}
