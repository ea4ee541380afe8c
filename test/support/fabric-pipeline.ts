import { cookieParts } from '../../src/fabric/cookie.ts';
import type { DropReason } from '../../src/fabric/cookie.ts';
import type { Flow } from '../../src/fabric/flow.ts';

/**
 * Runs frames through compiled flows: an OpenFlow pipeline small enough to read, so that tests can say what a
 * switch does with a frame instead of what its flows look like. Knows only the matches and actions that we write.
 */
export type Frame = Readonly<Record<string, bigint>>;

export interface Verdict {
  /** Where the frame went out, and as what. */
  readonly outputs: readonly { readonly port: number; readonly frame: Frame }[];
  /** Set when a flow that names a reason dropped it. */
  readonly dropped?: DropReason;
}

const protocols: Readonly<Record<string, readonly [string, bigint][]>> = {
  ip: [['dl_type', 0x800n]],
  arp: [['dl_type', 0x806n]],
  ipv6: [['dl_type', 0x86ddn]],
  icmp: [
    ['dl_type', 0x800n],
    ['nw_proto', 1n],
  ],
  tcp: [
    ['dl_type', 0x800n],
    ['nw_proto', 6n],
  ],
  udp: [
    ['dl_type', 0x800n],
    ['nw_proto', 17n],
  ],
};

const fieldOfNxm: Readonly<Record<string, string>> = {
  NXM_OF_ETH_SRC: 'dl_src',
  NXM_OF_ETH_DST: 'dl_dst',
  NXM_OF_IP_SRC: 'nw_src',
  NXM_OF_IP_DST: 'nw_dst',
  NXM_OF_ARP_SPA: 'arp_spa',
  NXM_OF_ARP_TPA: 'arp_tpa',
  NXM_NX_ARP_SHA: 'arp_sha',
  NXM_NX_ARP_THA: 'arp_tha',
  NXM_NX_TUN_ID: 'tun_id',
  NXM_NX_TUN_IPV4_SRC: 'tun_src',
  NXM_NX_TUN_IPV4_DST: 'tun_dst',
  NXM_OF_IN_PORT: 'in_port',
  NXM_NX_REG0: 'reg0',
  NXM_NX_REG1: 'reg1',
  NXM_NX_REG3: 'reg3',
  NXM_NX_REG5: 'reg5',
};
const fieldOfSet: Readonly<Record<string, string>> = {
  eth_src: 'dl_src',
  eth_dst: 'dl_dst',
  ip_src: 'nw_src',
};
const all = (1n << 64n) - 1n;

/** `0a:07:…`, `10.1.0.5` or a number, as a number. */
export function fieldValue(text: string): bigint {
  if (text.includes(':')) return BigInt(`0x${text.replaceAll(':', '')}`);
  if (text.includes('.')) return text.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
  return BigInt(text);
}

/** A frame from fields written as text; what is not named is 0. */
export const frameOf = (fields: Readonly<Record<string, string | number>>): Frame =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, fieldValue(String(value))]));

interface Term {
  readonly field: string;
  readonly value: bigint;
  readonly mask: bigint;
}

function parseMatch(match: string): Term[] {
  if (match === '') return [];
  return match.split(',').flatMap((part): Term[] => {
    const protocol = protocols[part];
    if (protocol !== undefined) return protocol.map(([field, value]) => ({ field, value, mask: all }));
    const [field = '', text = ''] = part.split('=');
    if (text === '+syn-ack') return [{ field, value: 0x02n, mask: 0x12n }];
    if (text === '+ack') return [{ field, value: 0x10n, mask: 0x10n }];
    if (text === '+syn-ack') return [{ field, value: 0x02n, mask: 0x12n }];
    const [value = '', mask] = text.split('/');
    return [{ field, value: fieldValue(value), mask: mask === undefined ? all : maskValue(value, mask) }];
  });
}

const maskValue = (value: string, mask: string): bigint =>
  value.includes('.') && !mask.includes('.')
    ? (0xffffffffn << BigInt(32 - Number(mask))) & 0xffffffffn
    : fieldValue(mask);

/** A switch that holds these flows. */
export class Pipeline {
  /** Cookies of the flows that the last frame met. */
  readonly met: bigint[] = [];
  readonly #tables = new Map<number, { readonly flow: Flow; readonly terms: readonly Term[] }[]>();
  /** Marks of tracked connections. */
  readonly #marks: Map<string, bigint>;

  /** @param before a switch that held other flows: its tracked connections stay */
  constructor(flows: readonly Flow[], before?: Pipeline) {
    this.#marks = before === undefined ? new Map() : before.#marks;
    for (const flow of flows) {
      const rows = this.#tables.get(flow.table) ?? [];
      rows.push({ flow, terms: parseMatch(flow.match) });
      this.#tables.set(flow.table, rows);
    }
    for (const rows of this.#tables.values()) rows.sort((a, b) => b.flow.priority - a.flow.priority);
  }

  /** What becomes of a frame that comes in at its `in_port`. */
  run(frame: Frame): Verdict {
    this.met.length = 0;
    const fields = { ...frame };
    const outputs: Verdict['outputs'][number][] = [];
    let tableNumber: number | undefined = 0;
    while (tableNumber !== undefined) {
      const flow = this.#lookUp(tableNumber, fields);
      if (flow === undefined) return { outputs };
      this.met.push(flow.cookie);
      if (flow.actions === 'drop') {
        const dropped = cookieParts(flow.cookie).dropReason;
        return dropped === undefined ? { outputs } : { outputs, dropped };
      }
      tableNumber = undefined;
      for (const action of topLevelActions(flow.actions)) {
        if (action.startsWith('goto_table:')) tableNumber = Number(action.slice('goto_table:'.length));
        else if (action.startsWith('ct(')) tableNumber = this.#track(action, fields);
        else act(action, fields, outputs);
      }
    }
    return { outputs };
  }

  /** Connection tracking, as far as marks go: gives the table that looks at the mark. */
  #track(action: string, fields: Record<string, bigint>): number | undefined {
    const connection = ['nw_src', 'nw_dst', 'tp_src', 'tp_dst'].map((name) => fields[name] ?? 0n).join(' ');
    const mark = /set_field:(\d+)->ct_mark/.exec(action)?.[1];
    if (mark !== undefined) this.#marks.set(connection, BigInt(mark));
    const next = /table=(\d+)/.exec(action)?.[1];
    if (next === undefined) return undefined;
    fields['ct_mark'] = this.#marks.get(connection) ?? 0n;
    return Number(next);
  }

  #lookUp(tableNumber: number, fields: Frame): Flow | undefined {
    const row = this.#tables
      .get(tableNumber)
      ?.find(({ terms }) =>
        terms.every(({ field, value, mask }) => ((fields[field] ?? 0n) & mask) === value),
      );
    return row?.flow;
  }
}

function act(
  action: string,
  fields: Record<string, bigint>,
  outputs: { port: number; frame: Frame }[],
): void {
  const put = (port: bigint): number => outputs.push({ port: Number(port), frame: { ...fields } });
  if (action === 'dec_ttl') return void (fields['nw_ttl'] = (fields['nw_ttl'] ?? 0n) - 1n);
  if (action === 'IN_PORT') return void put(fields['in_port'] ?? 0n);
  const [verb, rest = ''] = splitOnce(action, ':');
  if (verb === 'output') {
    const port = rest === 'NXM_NX_REG3[]' ? (fields['reg3'] ?? 0n) : BigInt(rest);
    // A switch never puts a frame out where it came in, unless told to by IN_PORT.
    if (port !== fields['in_port']) put(port);
    return;
  }
  const [from, to = ''] = splitOnce(rest, '->');
  if (verb === 'set_field') {
    const [value = '', mask] = from.split('/');
    setBits(fields, fieldOfSet[to] ?? to, fieldValue(value), mask === undefined ? all : fieldValue(mask));
  } else if (verb === 'load' || verb === 'move') {
    const target = bitsOf(to);
    const source = verb === 'load' ? undefined : bitsOf(from);
    const value =
      source === undefined ? BigInt(from) : ((fields[source.field] ?? 0n) >> source.shift) & source.mask;
    setBits(fields, target.field, value << target.shift, target.mask << target.shift);
  } else {
    throw new Error(`the test pipeline does not know the action ${action}`);
  }
}

/** Splits at the commas that are in no brackets. */
function topLevelActions(actions: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of actions) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === ',' && depth === 0) parts.push('');
    else parts.push(`${parts.pop() ?? ''}${character}`);
  }
  return parts;
}

const splitOnce = (text: string, by: string): [string, string?] => {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
};

function setBits(fields: Record<string, bigint>, field: string, value: bigint, mask: bigint): void {
  fields[field] = ((fields[field] ?? 0n) & ~mask & all) | (value & mask);
}

/** `NXM_NX_REG0[0..19]` → field, lowest bit, mask of the width. */
function bitsOf(text: string): { field: string; shift: bigint; mask: bigint } {
  const parts = /^(\w+)\[(?:(\d+)(?:\.\.(\d+))?)?\]$/.exec(text);
  const field = fieldOfNxm[parts?.[1] ?? ''];
  if (parts === null || field === undefined)
    throw new Error(`the test pipeline does not know the field ${text}`);
  if (parts[2] === undefined) return { field, shift: 0n, mask: all };
  const width = Number(parts[3] ?? parts[2]) - Number(parts[2]) + 1;
  return { field, shift: BigInt(parts[2]), mask: (1n << BigInt(width)) - 1n };
}
