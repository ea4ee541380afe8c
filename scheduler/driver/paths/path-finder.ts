import { readHop, type HopEnd, type HopReading } from '../../../src/fabric/path/hop.ts';
import {
  entranceName,
  type Entrance,
  type HostAnswer,
  type PathFrame,
} from '../../../src/fabric/path/question.ts';
import type { AgentId } from '../../../src/model/ids.ts';
import { messageOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import type { PathAddress, PathEndpoint } from '../../core/fabric/path-ends.ts';
import { pathFrames, type PathTraffic } from '../../core/fabric/path-frames.ts';
import type { World } from '../../core/world.ts';
import { conclude, endReport, type PathHop, type PathReport } from './path-report.ts';

/** Sender, receiver, and what a handover may put between; a frame that takes more goes in circles. */
const maxHops = 4;

export interface PathFinderOptions {
  readonly world: () => World;
  readonly ask: (host: AgentId, frame: PathFrame, entrance: Entrance) => Promise<HostAnswer>;
}

/** Follows a frame from switch to switch by asking each what it would do with it; nothing is sent. */
export class PathFinder {
  readonly #options: PathFinderOptions;

  constructor(options: PathFinderOptions) {
    this.#options = options;
  }

  /**
   * The way of the first packet from an endpoint to another end.
   * @throws PatchpanelError `unavailable` or `deadline` when a host does not answer, `external` when it cannot tell
   */
  async find(from: PathEndpoint, to: PathEndpoint | PathAddress, traffic: PathTraffic): Promise<PathReport> {
    const network = this.#options.world().networks.get(from.lease.network);
    if (network === undefined)
      throw new PatchpanelError('not-found', `the network ${from.lease.network} is gone`);
    const { arp, packet } = pathFrames(network, from, to, traffic);
    const hops: PathHop[] = [];
    if (arp !== undefined && from.shown !== undefined) {
      hops.push((await this.#atSource(from, arp)).hop);
    }
    if (hops.at(-1)?.end.kind !== 'dropped')
      hops.push(...(await this.#follow(from, to, packet, network.vni)));
    const last = hops.at(-1);
    if (last === undefined) throw new PatchpanelError('protocol', 'a path without a hop');
    const { protocol, sourcePort, destinationPort } = packet;
    return {
      from: endReport(from),
      to: endReport(to),
      protocol,
      ...(sourcePort === undefined ? {} : { sourcePort }),
      ...(destinationPort === undefined ? {} : { destinationPort }),
      ...conclude(from, to, last),
      hops,
    };
  }

  async #follow(
    from: PathEndpoint,
    to: PathEndpoint | PathAddress,
    packet: PathFrame,
    vni: number,
  ): Promise<PathHop[]> {
    let { hop, frame } = await this.#departure(from, to, packet, vni);
    const hops = [hop];
    while (hop.end.kind === 'tunnel' && hops.length < maxHops) {
      const sender = this.#options.world().hosts.get(hop.agentId as AgentId)?.facts.underlayIp;
      const receiver = this.#hostAt(hop.end.to);
      if (sender === undefined || receiver === undefined) {
        const end: HopEnd = {
          kind: 'unclear',
          why: `no host of the fabric has the tunnel address ${hop.end.to}`,
        };
        return [...hops.slice(0, -1), { ...hop, end }];
      }
      const entrance: Entrance = { kind: 'tunnel', from: sender, tunnelId: hop.end.tunnelId };
      ({ hop, frame } = await this.#hop(receiver, frame, entrance));
      hops.push(hop);
    }
    return hops;
  }

  /** A host that others must not hear often cannot be asked: what matters then is what they do with what it sends. */
  async #departure(
    from: PathEndpoint,
    to: PathEndpoint | PathAddress,
    packet: PathFrame,
    vni: number,
  ): Promise<{ hop: PathHop; frame: PathFrame }> {
    try {
      return await this.#atSource(from, packet);
    } catch (error) {
      const receiver = to.kind === 'endpoint' ? to.shown?.host : undefined;
      const underlay = receiver === undefined ? undefined : this.#underlayOf(receiver);
      const elsewhere = receiver !== from.instance.agentId;
      if (from.shown !== undefined || underlay === undefined || !elsewhere) throw error;
      const end: HopEnd = { kind: 'tunnel', to: underlay, tunnelId: vni };
      const remark = `${messageOf(error)}: it is taken to send the frame as its address wants it`;
      const reading: HopReading = { steps: [], end, frame: packet, remarks: [remark] };
      return this.#hopOf(from.instance.agentId, packet, sourceEntrance(from), reading);
    }
  }

  #atSource(from: PathEndpoint, frame: PathFrame): Promise<{ hop: PathHop; frame: PathFrame }> {
    return this.#hop(from.instance.agentId, frame, sourceEntrance(from));
  }

  async #hop(
    host: AgentId,
    frame: PathFrame,
    entrance: Entrance,
  ): Promise<{ hop: PathHop; frame: PathFrame }> {
    const answer = await this.#options.ask(host, frame, entrance);
    if (answer.kind === 'problem') {
      throw new PatchpanelError('external', `${this.#nameOf(host)} cannot tell: ${answer.problem}`);
    }
    return this.#hopOf(host, frame, entrance, readHop(answer.trace, answer.ports, frame));
  }

  #hopOf(
    host: AgentId,
    { protocol }: PathFrame,
    entrance: Entrance,
    { steps, end, frame, remarks }: HopReading,
  ): { hop: PathHop; frame: PathFrame } {
    const hop: PathHop = {
      agentId: host,
      host: this.#nameOf(host),
      protocol,
      entrance: entranceName(entrance),
      steps,
      end,
      remarks,
    };
    return { hop, frame };
  }

  #hostAt(underlayIp: string): AgentId | undefined {
    for (const { facts } of this.#options.world().hosts.values()) {
      if (facts.underlayIp === underlayIp) return facts.agentId;
    }
    return undefined;
  }

  #underlayOf(host: AgentId): string | undefined {
    return this.#options.world().hosts.get(host)?.facts.underlayIp;
  }

  #nameOf(host: AgentId): string {
    return this.#options.world().hosts.get(host)?.facts.hostname ?? host;
  }
}

const sourceEntrance = ({ instance: { slotId: slot, epoch } }: PathEndpoint): Entrance => ({
  kind: 'endpoint',
  endpoint: { slot, epoch },
});
