/** One rule that a frame met. */
export interface TraceStep {
  readonly table: number;
  /** Undefined: no rule of the table matched, which drops. */
  readonly rule: TraceRule | undefined;
  readonly actions: readonly string[];
}

/** A rule as Open vSwitch prints it. */
export interface TraceRule {
  /** Empty: everything. */
  readonly match: string;
  readonly priority: number;
  readonly cookie: bigint;
}

/** Where a frame leaves the switch. */
export type TraceOutput =
  | { readonly kind: 'port'; readonly number: number }
  /** Back through the port that it came in by: an answer that the switch makes itself. */
  | { readonly kind: 'back' };

/** What `ofproto/trace` says of one frame on our bridge. */
export interface Trace {
  readonly steps: readonly TraceStep[];
  readonly outputs: readonly TraceOutput[];
  /** Headers at the end by their names in ovs-fields(7), `dl_dst`, `nw_ttl`, and what was set for the tunnel. */
  readonly fields: ReadonlyMap<string, string>;
  /** What Open vSwitch remarks about the way to another host, `neighbor cache miss …`. */
  readonly remarks: readonly string[];
}

const stepLine = /^\s*(\d+)\. (.*)$/;
const ruleText = /^(?:(.*), )?priority (\d+)(?:, cookie (0x[0-9a-f]+))?/;
const bridgeLine = /^\s*bridge\("(.*)"\)$/;
const remarkLine = /^\s+-> (.*)$/;
const setField = /^set_field:([^-]+)->(\w+)$/;

/**
 * Reads what `ofproto/trace` prints (ovs-vswitchd(8)). Only the first bridge counts: the others carry the tunnel. What
 * comes after connection tracking belongs to the same frame. Lines that it does not know are passed over.
 */
export function parseTrace(text: string): Trace {
  const reader = new TraceReader();
  for (const line of text.split('\n')) reader.read(line);
  return reader;
}

/** Numbers of the ports that a trace puts a frame out of. */
export function portsInTrace(text: string): readonly number[] {
  const ports = parseTrace(text).outputs.flatMap((output) => (output.kind === 'port' ? [output.number] : []));
  return [...new Set(ports)];
}

class TraceReader implements Trace {
  readonly steps: { table: number; rule: TraceRule | undefined; actions: string[] }[] = [];
  readonly outputs: TraceOutput[] = [];
  readonly fields = new Map<string, string>();
  readonly remarks: string[] = [];
  #bridge: string | undefined;
  #ours = true;
  /** Whether the lines are those of rules; headings stand between. */
  #inRules = false;

  read(line: string): void {
    const bridge = bridgeLine.exec(line)?.[1];
    if (bridge !== undefined) {
      this.#bridge ??= bridge;
      this.#ours = bridge === this.#bridge;
      this.#inRules = true;
      return;
    }
    if (line.startsWith('Final flow: ')) return this.#final(line.slice('Final flow: '.length));
    if (/^\S/.test(line) && !stepLine.test(line)) this.#inRules = /^-+$/.test(line) && this.#inRules;
    if (!this.#inRules || line.trim() === '') return;
    const remark = remarkLine.exec(line)?.[1];
    if (remark !== undefined) return this.#remark(remark);
    if (!this.#ours) return;
    const step = stepLine.exec(line);
    if (step !== null) this.#step(Number(step[1]), step[2] ?? '');
    else this.#action(line.trim());
  }

  #step(table: number, text: string): void {
    const rule = ruleText.exec(text);
    this.steps.push({
      table,
      rule:
        rule === null
          ? undefined
          : { match: rule[1] ?? '', priority: Number(rule[2]), cookie: BigInt(rule[3] ?? 0) },
      actions: [],
    });
  }

  #action(text: string): void {
    this.steps.at(-1)?.actions.push(text);
    const set = setField.exec(text);
    if (set?.[1] !== undefined && set[2] !== undefined) this.fields.set(set[2], set[1]);
    const port = /^output:(\d+)$/.exec(text)?.[1];
    if (port !== undefined) this.outputs.push({ kind: 'port', number: Number(port) });
    else if (text === 'IN_PORT') this.outputs.push({ kind: 'back' });
  }

  #remark(text: string): void {
    const port = this.#ours ? /^output port is (\d+)$/.exec(text)?.[1] : undefined;
    if (port !== undefined) this.outputs.push({ kind: 'port', number: Number(port) });
    else this.remarks.push(text);
  }

  /** `tcp,reg0=0x7,in_port=1,dl_src=…`; registers of the tunnel that were set are known better from the actions. */
  #final(text: string): void {
    this.#inRules = false;
    for (const part of text.split(',')) {
      const at = part.indexOf('=');
      const name = part.slice(0, at);
      if (at > 0 && !name.startsWith('tun_')) this.fields.set(name, part.slice(at + 1));
    }
  }
}
