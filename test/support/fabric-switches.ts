import { compile } from '../../src/fabric/compile.ts';
import { hostView } from '../../src/fabric/host-view.ts';
import { endpointKey } from '../../src/fabric/view.ts';
import type { View, ViewEndpoint } from '../../src/fabric/view.ts';
import type { AgentId } from '../../src/model/ids.ts';
import { frameOf, Pipeline } from './fabric-pipeline.ts';
import type { Frame, Verdict } from './fabric-pipeline.ts';
import { switchOf } from './fabric-views.ts';

/** All switches of a fabric, with their tunnels: a frame goes in at an endpoint and comes out somewhere. */
export class Fabric {
  /** Of the flows that the last frame met on the switch where its way ended. */
  lastCookies: readonly bigint[] = [];
  readonly #fabric: View;
  readonly #switches: Map<
    AgentId,
    { readonly pipeline: Pipeline; readonly ofports: ReadonlyMap<string, number> }
  >;

  constructor(fabric: View) {
    this.#fabric = fabric;
    this.#switches = new Map(
      fabric.hosts.map(({ id }) => {
        const local = switchOf(fabric, id);
        return [id, { pipeline: new Pipeline(compile(hostView(fabric, id), local)), ofports: local.ofports }];
      }),
    );
  }

  /** Puts another view in force on one host; it has the same endpoints there as before, and keeps its connections. */
  update(host: AgentId, view: View): void {
    const before = this.#switches.get(host);
    const local = switchOf(view, host);
    const pipeline = new Pipeline(compile(hostView(view, host), local), before?.pipeline);
    this.#switches.set(host, { pipeline, ofports: local.ofports });
  }

  /** Where a frame that the endpoint sends comes out: keys of endpoints, or the reason of its drop. */
  send(from: ViewEndpoint, frame: Frame): string {
    const origin = this.#switches.get(from.host);
    const ofport = origin?.ofports.get(endpointKey(from));
    if (origin === undefined || ofport === undefined) throw new Error('the sender is not plugged in');
    const verdict = origin.pipeline.run({ ...frame, in_port: BigInt(ofport) });
    return this.#follow(from.host, verdict);
  }

  /** What the switch of `to` does with a frame out of the tunnel. */
  receive(to: AgentId, underlayIp: string, vni: number, frame: Frame): string {
    const target = this.#switches.get(to);
    if (target === undefined) return 'no such switch';
    const outer = frameOf({ in_port: 1, tun_src: underlayIp, tun_id: vni });
    const verdict = target.pipeline.run({ ...frame, ...outer, tun_dst: 0n });
    return this.#follow(to, verdict);
  }

  #follow(at: AgentId, verdict: Verdict): string {
    this.lastCookies = [...(this.#switches.get(at)?.pipeline.met ?? [])];
    const [out] = verdict.outputs;
    if (out === undefined) return verdict.dropped ?? 'dropped without a reason';
    if (verdict.outputs.length > 1) return 'copied';
    if (out.port !== 1) return this.#endpointAt(at, out.port);
    if (out.frame['in_port'] === 1n) return 'sent back into the tunnel';
    const from = this.#fabric.hosts.find(({ id }) => id === at);
    const to = this.#fabric.hosts.find(
      ({ underlayIp }) => frameOf({ ip: underlayIp })['ip'] === out.frame['tun_dst'],
    );
    if (from === undefined || to === undefined) return 'sent nowhere';
    const inner = { ...out.frame, reg0: 0n, reg1: 0n, reg2: 0n, reg3: 0n, reg4: 0n };
    return this.receive(to.id, from.underlayIp, Number(out.frame['tun_id']), inner);
  }

  #endpointAt(host: AgentId, port: number): string {
    for (const [key, ofport] of this.#switches.get(host)?.ofports ?? []) if (ofport === port) return key;
    return `port ${port}`;
  }
}

/** Frames and flags of TCP to make packets of. */
export const ipFrame = (
  from: Pick<ViewEndpoint, 'mac' | 'ip'>,
  to: Pick<ViewEndpoint, 'mac' | 'ip'>,
): Frame =>
  frameOf({ dl_type: 0x800, dl_src: from.mac, dl_dst: to.mac, nw_src: from.ip, nw_dst: to.ip, nw_proto: 1 });

export const tcp = (frame: Frame, tpDst: number, flags: number): Frame => ({
  ...frame,
  ...frameOf({ nw_proto: 6, tp_dst: tpDst, tcp_flags: flags }),
});
export const udp = (frame: Frame, tpDst: number): Frame => ({
  ...frame,
  ...frameOf({ nw_proto: 17, tp_dst: tpDst }),
});
export const syn = 0x02;
export const ack = 0x10;
