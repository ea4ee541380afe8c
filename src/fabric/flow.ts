import type { TableNumber } from './tables.ts';

/**
 * One flow of the pipeline. `match` and `actions` are in the words of ovs-ofctl, without spaces; a match is written
 * in one order only (protocol, network, flags, port, addresses), so equal matches are equal text.
 */
export interface Flow {
  readonly table: TableNumber;
  readonly priority: number;
  /** Empty: everything. */
  readonly match: string;
  readonly actions: string;
  readonly cookie: bigint;
}

/** What makes two flows the same flow to a switch: table, priority and match. A line that deletes it strictly. */
export const flowIdentity = (flow: Flow): string =>
  flow.match === ''
    ? `table=${flow.table},priority=${flow.priority}`
    : `table=${flow.table},priority=${flow.priority},${flow.match}`;

/** The flow as one line for `ovs-ofctl add-flows` and `replace-flows`. */
export const flowText = (flow: Flow): string =>
  `cookie=0x${flow.cookie.toString(16)},${flowIdentity(flow)} actions=${flow.actions}`;

/** A file for `ovs-ofctl replace-flows`: the whole of what a switch shall hold. */
export const flowsText = (flows: readonly Flow[]): string => linesText(flows.map(flowText));

/** What turns one set of flows into another. Identities are distinct over the three lists. */
export interface FlowDiff {
  readonly add: readonly Flow[];
  /** Same identity, other actions or cookie: the new form. */
  readonly modify: readonly Flow[];
  readonly remove: readonly Flow[];
}

/** The changes that turn `before` into `after`; both hold each identity at most once. */
export function diffFlows(before: Iterable<Flow>, after: Iterable<Flow>): FlowDiff {
  const left = new Map<string, Flow>();
  for (const flow of before) left.set(flowIdentity(flow), flow);
  const add: Flow[] = [];
  const modify: Flow[] = [];
  for (const flow of after) {
    const identity = flowIdentity(flow);
    const old = left.get(identity);
    left.delete(identity);
    if (old === undefined) add.push(flow);
    else if (old.actions !== flow.actions || old.cookie !== flow.cookie) modify.push(flow);
  }
  return { add, modify, remove: [...left.values()] };
}

/** True when there is nothing to do. */
export const isEmptyDiff = (diff: FlowDiff): boolean =>
  diff.add.length === 0 && diff.modify.length === 0 && diff.remove.length === 0;

/**
 * A file for `ovs-ofctl -O OpenFlow15 bundle`, or empty text. A modification is an `add`: it replaces the flow of
 * the same identity, cookie included (a `modify` would leave the cookie), and since OpenFlow 1.3 keeps its counters.
 */
export function bundleText(diff: FlowDiff): string {
  return linesText([
    ...diff.remove.map((flow) => `flow delete_strict ${flowIdentity(flow)}`),
    ...diff.modify.map((flow) => `flow add ${flowText(flow)}`),
    ...diff.add.map((flow) => `flow add ${flowText(flow)}`),
  ]);
}

const linesText = (lines: readonly string[]): string => (lines.length === 0 ? '' : `${lines.join('\n')}\n`);
