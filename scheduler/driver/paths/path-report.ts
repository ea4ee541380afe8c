import type { DropReason } from '../../../src/fabric/cookie.ts';
import type { HopEnd, PathStep } from '../../../src/fabric/path/hop.ts';
import type { PathFrame } from '../../../src/fabric/path/question.ts';
import { dropWords } from '../../../src/fabric/path/words.ts';
import type { NetworkName } from '../../../src/model/ids.ts';
import type { PathAddress, PathEndpoint } from '../../core/fabric/path-ends.ts';

/** What became of a frame: it reached an endpoint, was answered by a switch, left the fabric, was dropped, or nobody knows. */
export type PathVerdict = 'delivered' | 'answered' | 'left' | 'dropped' | 'unclear';

/** A frame's way through one host's switch. */
export interface PathHop {
  readonly agentId: string;
  readonly host: string;
  /** `arp` or the protocol that was asked for. */
  readonly protocol: PathFrame['protocol'];
  /** Where it comes in, in words. */
  readonly entrance: string;
  /** Empty when the host was not asked. */
  readonly steps: readonly PathStep[];
  readonly end: HopEnd;
  readonly remarks: readonly string[];
}

/** An end of a path as people see it. */
export interface PathEndReport {
  readonly ip: string;
  readonly slot?: string;
  readonly epoch?: number;
  readonly task?: string;
  readonly host?: string;
  readonly network?: string;
  /** `standby`, `active`, …; `fenced` when no host must hear it. */
  readonly state?: string;
}

/** The whole way, and how it ends. */
export interface PathReport {
  readonly from: PathEndReport;
  readonly to: PathEndReport;
  readonly protocol: PathFrame['protocol'];
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly verdict: PathVerdict;
  /** Of a drop, as in the drop counters. */
  readonly reason?: DropReason;
  readonly summary: string;
  readonly hops: readonly PathHop[];
}

/** An end as people see it. */
export function endReport(end: PathEndpoint | PathAddress): PathEndReport {
  if (end.kind === 'address') {
    return { ip: end.ip, ...(end.network === undefined ? {} : { network: end.network.name }) };
  }
  const { instance, lease, shown } = end;
  return {
    ip: lease.ip,
    slot: instance.slotId,
    epoch: instance.epoch,
    task: instance.taskId,
    host: instance.hostname,
    network: lease.network,
    state: shown?.state ?? 'fenced',
  };
}

/** How a path ends, in words that need no knowledge of the pipeline. */
export function conclude(
  from: PathEndpoint,
  to: PathEndpoint | PathAddress,
  last: PathHop,
): Pick<PathReport, 'verdict' | 'reason' | 'summary'> {
  const { end, host } = last;
  switch (end.kind) {
    case 'delivered':
      return { verdict: 'delivered', summary: `delivered to ${end.endpoint.slot} on ${host}` };
    case 'answered':
      return { verdict: 'answered', summary: `answered by the switch of ${host}` };
    case 'gateway':
      if (networkOf(to) !== undefined) {
        const words = `handed to the kernel of ${host}, which lets nothing pass from network to network`;
        return { verdict: 'dropped', reason: 'not-routed', summary: `${words}; ${routeAdvice(from, to)}` };
      }
      return {
        verdict: 'left',
        summary: `leaves ${end.network} by the gateway of ${host}, whose kernel sends it on as the host's own`,
      };
    case 'dropped':
      return dropped(from, to, last, end);
    case 'tunnel':
      return { verdict: 'unclear', summary: `is sent on from host to host and does not arrive` };
    case 'unclear':
      return { verdict: 'unclear', summary: end.why };
  }
}

function dropped(
  from: PathEndpoint,
  to: PathEndpoint | PathAddress,
  { host }: PathHop,
  { table, reason }: Extract<HopEnd, { kind: 'dropped' }>,
): Pick<PathReport, 'verdict' | 'reason' | 'summary'> {
  const words = reason === undefined ? 'no rule lets it on' : dropWords[reason];
  const because = reason === undefined ? undefined : cause(from, to, reason);
  return {
    verdict: 'dropped',
    ...(reason === undefined ? {} : { reason }),
    summary: `dropped on ${host} (${table}): ${words}${because === undefined ? '' : `; ${because}`}`,
  };
}

/** What of these two ends explains the drop. */
function cause(from: PathEndpoint, to: PathEndpoint | PathAddress, reason: DropReason): string | undefined {
  if (reason === 'fenced' && from.shown === undefined) {
    return `${from.instance.taskId} is fenced: its slot counts as elsewhere or its host as unreachable`;
  }
  const unknown = reason === 'unanswered-arp' || reason === 'unknown-destination';
  if (unknown && networkOf(to) === from.lease.network) return absence(to);
  return unknown || reason === 'not-routed' ? routeAdvice(from, to) : undefined;
}

const networkOf = (end: PathEndpoint | PathAddress): NetworkName | undefined =>
  end.kind === 'endpoint' ? end.lease.network : end.network?.name;

function absence(to: PathEndpoint | PathAddress): string | undefined {
  if (to.kind === 'address') return undefined;
  const { slotId, condition } = to.instance;
  if (to.shown === undefined) return `${slotId} is in no view (its task is ${condition})`;
  return to.shown.state === 'standby'
    ? `${slotId}@${to.shown.epoch} is a standby, which is dark until it takes over`
    : undefined;
}

function routeAdvice(from: PathEndpoint, to: PathEndpoint | PathAddress): string {
  const network = networkOf(to);
  return network === undefined
    ? `set nat on the network ${from.lease.network} to give it a way out`
    : `add "${network}" to the routes of the network ${from.lease.network}`;
}
