import { cookieParts } from '../cookie.ts';
import type { DropReason } from '../cookie.ts';
import { table, tableName } from '../tables.ts';
import type { EndpointKey } from '../view.ts';
import type { Trace, TraceStep } from './parse-trace.ts';
import { parseTrace } from './parse-trace.ts';
import type { PathFrame, SwitchPort } from './question.ts';
import { decisionWords, dropWords } from './words.ts';

/** One decision on the way. */
export interface PathStep {
  /** `port security` */
  readonly table: string;
  /** What it decides, in words. */
  readonly says: string;
  /** The rule as the switch has it; absent when none matched. */
  readonly rule?: { readonly priority: number; readonly match: string; readonly cookie: string };
}

/** How a frame's way through one switch ends. */
export type HopEnd =
  | { readonly kind: 'delivered'; readonly endpoint: EndpointKey }
  /** Handed to the host's kernel, which routes and translates it. */
  | { readonly kind: 'gateway'; readonly network: string }
  /** The switch made the answer itself. */
  | { readonly kind: 'answered' }
  | { readonly kind: 'tunnel'; readonly to: string; readonly tunnelId: number }
  | { readonly kind: 'dropped'; readonly table: string; readonly reason?: DropReason }
  | { readonly kind: 'unclear'; readonly why: string };

/** A frame's way through one switch. */
export interface HopReading {
  readonly steps: readonly PathStep[];
  readonly end: HopEnd;
  /** The frame as it leaves. */
  readonly frame: PathFrame;
  /** What Open vSwitch remarks, as it does about a neighbour whose MAC it does not know yet. */
  readonly remarks: readonly string[];
}

/** Reads what a host answered about `frame`. Total: what cannot be read ends `unclear`. */
export function readHop(text: string, ports: readonly SwitchPort[], frame: PathFrame): HopReading {
  const trace = parseTrace(text);
  return {
    steps: trace.steps.map(stepOf),
    end: endOf(trace, ports),
    frame: frameAfter(frame, trace),
    remarks: trace.remarks.filter((remark) => /neighbor cache miss|no route/i.test(remark)),
  };
}

function stepOf({ table: number, rule, actions }: TraceStep): PathStep {
  const name = tableName(number);
  if (rule === undefined) return { table: name, says: 'dropped: no rule matches' };
  const shown = { priority: rule.priority, match: rule.match, cookie: `0x${rule.cookie.toString(16)}` };
  return { table: name, says: wordsOf(number, rule.cookie, actions), rule: shown };
}

function wordsOf(number: number, cookie: bigint, actions: readonly string[]): string {
  const { dropReason, purpose } = cookieParts(cookie);
  if (dropReason !== undefined) return `dropped: ${dropWords[dropReason]}`;
  if (purpose === undefined) return 'a rule that is none of ours';
  if (number === table.gateway && purpose === 'gateway') return gatewayWords(actions);
  return decisionWords(number, purpose);
}

function gatewayWords(actions: readonly string[]): string {
  if (actions.includes('IN_PORT')) return 'the gateway answers the ping';
  if (actions.includes('dec_ttl')) return 'a route leads into the other network';
  if (actions.some((action) => action.endsWith('->tun_id'))) return "it is for another host's own address";
  return 'it leaves the network by the gateway of this host';
}

function endOf(trace: Trace, ports: readonly SwitchPort[]): HopEnd {
  const last = trace.steps.at(-1);
  if (last === undefined) return { kind: 'unclear', why: 'the host answered with no trace' };
  const [output, ...others] = trace.outputs;
  if (output === undefined) return dropOf(last);
  if (others.length > 0) return { kind: 'unclear', why: 'the switch sends it out of more than one port' };
  if (output.kind === 'back') return { kind: 'answered' };
  const port = ports.find(({ number }) => number === output.number);
  switch (port?.kind) {
    case undefined:
      return { kind: 'unclear', why: `it leaves by port ${output.number}, which is none of ours` };
    case 'endpoint':
      return { kind: 'delivered', endpoint: port.endpoint };
    case 'gateway':
      return { kind: 'gateway', network: port.network };
    case 'tunnel': {
      const to = port.to ?? trace.fields.get('tun_dst');
      const tunnelId = Number(trace.fields.get('tun_id'));
      if (to !== undefined && Number.isInteger(tunnelId)) return { kind: 'tunnel', to, tunnelId };
      return { kind: 'unclear', why: 'it goes into the tunnel, but it does not say where to' };
    }
  }
}

function dropOf({ table: number, rule }: TraceStep): HopEnd {
  const reason = rule === undefined ? undefined : cookieParts(rule.cookie).dropReason;
  return { kind: 'dropped', table: tableName(number), ...(reason === undefined ? {} : { reason }) };
}

function frameAfter(frame: PathFrame, { fields }: Trace): PathFrame {
  const ttl = Number(fields.get('nw_ttl') ?? frame.ttl);
  return {
    ...frame,
    sourceMac: fields.get('dl_src') ?? frame.sourceMac,
    destinationMac: fields.get('dl_dst') ?? frame.destinationMac,
    ttl: Number.isInteger(ttl) ? ttl : frame.ttl,
  };
}
