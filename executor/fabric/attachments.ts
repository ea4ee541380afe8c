import { endpointKey, type EndpointKey } from '../../src/fabric/view.ts';
import type { SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { withDeadline } from '../../src/runtime/deadline.ts';
import { codeOf, messageOf, PatchpanelError } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { linkProblem, type LinkWish } from '../core/fabric/link.ts';
import { portLoss } from '../core/fabric/port-loss.ts';
import type { AttachTimings } from '../core/ports.ts';
import type { OwnPort, PortWish } from '../adapters/ovsdb/port-plan.ts';
import { runAttach } from './attach.ts';

/** How long flows may take until an attach or a detach gives up; Open vSwitch may restart in that time. */
const FLOWS_TIMEOUT_MS = 15_000;

/** What attaching needs; small, so that tests can do without Open vSwitch. */
export interface AttachmentParts {
  readonly owner: string;
  readonly runId: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly takeNumber: (used: ReadonlySet<number>) => { readonly ofport: number; readonly veth: string };
  readonly links: {
    create(wish: LinkWish): Promise<void>;
    configure(wish: LinkWish): Promise<void>;
  };
  readonly ports: {
    list(): readonly OwnPort[];
    add(wish: PortWish, signal: AbortSignal): Promise<void>;
  };
  /** Removes the port of a veth, then the veth; fine when they are not there. */
  readonly unplug: (veth: string) => Promise<void>;
  /** Resolves when the flows of everything in ofports() are in force. */
  readonly commitFlows: () => Promise<void>;
  /** Resolves when the view has this endpoint on this host. */
  readonly inView: (endpoint: EndpointKey, timeoutMs: number, signal: AbortSignal) => Promise<void>;
  /** MAC of the network's gateway, when the view knows it. */
  readonly gatewayMac: (network: SwitchNetworkSpec) => string | undefined;
  readonly onPortLost: (endpoint: EndpointKey, reason: string) => void;
  /** What another executor attached has lost its port: its task has ended, or has no network any more. */
  readonly onInheritedLost: (endpoint: EndpointKey) => void;
}

/** An incarnation that has a port number here. */
interface Entry {
  readonly endpoint: EndpointKey;
  /** Undefined for what another executor attached. */
  readonly network: SwitchNetworkSpec | undefined;
  /** Who attached it, where that is known. */
  readonly runId: string | undefined;
  readonly address: { readonly mac: string; readonly ip: string };
  number: { readonly ofport: number; readonly veth: string };
  state: 'prepared' | 'attaching' | 'attached' | 'lost' | 'leaving';
  readonly abort: AbortController;
  sandboxPid: number | undefined;
  attaching: Promise<AttachTimings> | undefined;
  leaving: Promise<void> | undefined;
  /** Its port, which somebody removed, is being plugged in again. */
  replugging: boolean;
}

/**
 * The incarnations of this host and their ports.
 * INVARIANTS: one entry for each (slot, epoch); flows exist for every entry that is not leaving; a leaving entry goes
 * flows first, then port, then veth; a veth name is used for one attempt only.
 */
export class Attachments {
  readonly #parts: AttachmentParts;
  readonly #entries = new Map<string, Entry>();

  constructor(parts: AttachmentParts) {
    this.#parts = parts;
  }

  /** Takes over what another executor attached, so that its flows stay until it is removed. */
  adopt(ports: readonly OwnPort[]): void {
    for (const port of ports)
      this.#entries.set(endpointKey(port.endpoint), { ...freshEntry({ ...port }), state: 'attached' });
  }

  /** What was adopted and is still there, of these executors. */
  inherited(isWanted: (runId: string | undefined) => boolean): readonly EndpointKey[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.network === undefined && isWanted(entry.runId))
      .map((entry) => entry.endpoint);
  }

  /** Tells of a process in the namespace of what was adopted. */
  knowSandbox(endpoint: EndpointKey, pid: number): void {
    const entry = this.#entries.get(endpointKey(endpoint));
    if (entry !== undefined) entry.sandboxPid ??= pid;
  }

  /** OpenFlow port of each incarnation that shall have flows. A new map at each call. */
  ofports(): ReadonlyMap<string, number> {
    const entries = [...this.#entries].filter(([, entry]) => entry.state !== 'leaving');
    return new Map(entries.map(([key, entry]) => [key, entry.number.ofport]));
  }

  /** A process in the incarnation's network namespace; undefined when the incarnation is not here. */
  sandboxPid(endpoint: EndpointKey): number | 'unknown' | undefined {
    const entry = this.#entries.get(endpointKey(endpoint));
    return entry === undefined ? undefined : (entry.sandboxPid ?? 'unknown');
  }

  /** Names of the veths that are in use or about to be. */
  veths(): ReadonlySet<string> {
    return new Set([...this.#entries.values()].map((entry) => entry.number.veth));
  }

  prepare(endpoint: EndpointKey, network: SwitchNetworkSpec): void {
    const key = endpointKey(endpoint);
    if (this.#entries.has(key)) return;
    const { runId } = this.#parts;
    this.#entries.set(key, freshEntry({ endpoint, network, runId, ...this.#number(), ...network }));
    // Whoever attaches waits for the flows itself; here they only get their head start.
    this.#parts
      .commitFlows()
      .catch((error: unknown) => this.#parts.log.debug('early flows failed', { key, error }));
  }

  attach(endpoint: EndpointKey, sandboxPid: number, signal: AbortSignal): Promise<AttachTimings> {
    const key = endpointKey(endpoint);
    const entry = this.#entries.get(key);
    if (entry?.network === undefined || entry.state === 'leaving') {
      return Promise.reject(new PatchpanelError('invalid', `${key} was not prepared for an attach`));
    }
    entry.sandboxPid = sandboxPid;
    entry.attaching ??= this.#attach(entry, entry.network, sandboxPid, signal).catch(
      async (error: unknown) => {
        await this.#undo(entry);
        throw error;
      },
    );
    return entry.attaching;
  }

  /** Flows, then port, then veth; fine when nothing is there. */
  async detach(endpoint: EndpointKey): Promise<void> {
    const entry = this.#entries.get(endpointKey(endpoint));
    if (entry === undefined) return this.#removeStrays(endpoint);
    entry.leaving ??= this.#leave(entry).finally(() => (entry.leaving = undefined));
    await entry.leaving;
  }

  /** Goes on with departures that failed, because Open vSwitch was away. */
  async retryDepartures(): Promise<void> {
    const stuck = [...this.#entries.values()].filter((entry) => entry.state === 'leaving' && !entry.leaving);
    await Promise.all(stuck.map((entry) => this.detach(entry.endpoint)));
  }

  /** Looks at the ports of everything that is attached and reports those that were lost since the last look. */
  watch(): void {
    const ports = new Map(this.#parts.ports.list().map((port) => [port.veth, port]));
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'attached') continue;
      const port = ports.get(entry.number.veth);
      if (port === undefined) this.#replugRemoved(entry);
      else this.#judge(entry, portLoss(port));
    }
  }

  #judge(entry: Entry, reason: string | undefined): void {
    if (reason === undefined) return;
    if (entry.network === undefined) return this.#inheritedLost(entry);
    entry.state = 'lost';
    this.#parts.log.warn('an endpoint lost its port', { endpoint: endpointKey(entry.endpoint), reason });
    this.#parts.onPortLost(entry.endpoint, reason);
  }

  /** The executor that attached it removes containers, and leaves the port to whoever has the switch. */
  #inheritedLost(entry: Entry): void {
    this.#parts.onInheritedLost(entry.endpoint);
    this.detach(entry.endpoint).catch((error: unknown) =>
      this.#parts.log.warn('a port could not be removed; it is tried again', {
        endpoint: entry.endpoint,
        error,
      }),
    );
  }

  /** Somebody took the port off the bridge; the veth may be there still, and then nothing is lost. */
  #replugRemoved(entry: Entry): void {
    if (entry.replugging) return;
    entry.replugging = true;
    this.#parts.log.warn('somebody removed a port; it is plugged in again', {
      endpoint: endpointKey(entry.endpoint),
    });
    this.#parts.ports
      .add(this.#portWish(entry), entry.abort.signal)
      .catch((error: unknown) => {
        // Without bridge or database nothing is known of the port; what makes them again plugs it in, too.
        if (entry.state !== 'attached' || codeOf(error) === 'unavailable') return;
        this.#judge(entry, `its port was removed from the bridge: ${messageOf(error)}`);
      })
      .finally(() => (entry.replugging = false));
  }

  /** Plugs in again what the database has forgotten. */
  async replug(signal: AbortSignal): Promise<void> {
    const known = new Set(this.#parts.ports.list().map((port) => port.veth));
    const wishes = [...this.#entries.values()].flatMap((entry) =>
      entry.state !== 'attached' || known.has(entry.number.veth) ? [] : [this.#portWish(entry)],
    );
    await Promise.all(wishes.map((wish) => this.#parts.ports.add(wish, signal)));
  }

  async #attach(
    entry: Entry,
    network: SwitchNetworkSpec,
    sandboxPid: number,
    signal: AbortSignal,
  ): Promise<AttachTimings> {
    const { links, ports, clock, inView, commitFlows } = this.#parts;
    const key = endpointKey(entry.endpoint);
    const link = this.#linkWish(entry, network, sandboxPid);
    const problem = linkProblem(link);
    if (problem !== undefined) throw new PatchpanelError('invalid', `${key} cannot be attached: ${problem}`);
    entry.state = 'attaching';
    const timings = await runAttach(clock, AbortSignal.any([signal, entry.abort.signal]), {
      create: () => links.create(link),
      configure: () => links.configure(link),
      plug: (either) => ports.add(this.#portWish(entry), either),
      flows: async (either) => {
        await inView(entry.endpoint, FLOWS_TIMEOUT_MS, either);
        await withDeadline(commitFlows(), FLOWS_TIMEOUT_MS, `writing the flows of ${key}`);
      },
    });
    entry.state = 'attached';
    return timings;
  }

  /** Takes back what a failed attempt made; the next one gets another number. */
  async #undo(entry: Entry): Promise<void> {
    const { veth } = entry.number;
    entry.attaching = undefined;
    if (entry.state === 'leaving') return;
    entry.state = 'prepared';
    entry.number = this.#number();
    try {
      await this.#parts.unplug(veth);
    } catch (error) {
      this.#parts.log.warn('a failed attach could not be taken back; it will be swept', { veth, error });
    }
  }

  async #leave(entry: Entry): Promise<void> {
    entry.state = 'leaving';
    entry.abort.abort();
    await entry.attaching?.catch(() => undefined);
    const key = endpointKey(entry.endpoint);
    await withDeadline(this.#parts.commitFlows(), FLOWS_TIMEOUT_MS, `removing the flows of ${key}`);
    await this.#parts.unplug(entry.number.veth);
    await this.#removeStrays(entry.endpoint);
    this.#entries.delete(key);
  }

  async #removeStrays(endpoint: EndpointKey): Promise<void> {
    const key = endpointKey(endpoint);
    const strays = this.#parts.ports.list().filter((port) => endpointKey(port.endpoint) === key);
    await Promise.all(strays.map((port) => this.#parts.unplug(port.veth)));
  }

  #number(): Entry['number'] {
    const used = [...this.#entries.values()].map((entry) => entry.number.ofport);
    const onBridge = this.#parts.ports.list().map((port) => port.ofport);
    return this.#parts.takeNumber(new Set([...used, ...onBridge]));
  }

  #portWish({ endpoint, number, address, runId }: Entry): PortWish {
    const { owner, runId: self } = this.#parts;
    return { owner, runId: runId ?? self, endpoint, ...number, ...address };
  }

  #linkWish(entry: Entry, network: SwitchNetworkSpec, sandboxPid: number): LinkWish {
    const { mac, mtu, ip, prefixLength, gateway } = network;
    const { owner, gatewayMac } = this.#parts;
    const { veth } = entry.number;
    return { owner, veth, sandboxPid, mac, mtu, ip, prefixLength, gateway, gatewayMac: gatewayMac(network) };
  }
}

interface NewEntry {
  readonly endpoint: EndpointKey;
  readonly network?: SwitchNetworkSpec;
  readonly runId?: string;
  readonly mac: string;
  readonly ip: string;
  readonly ofport: number;
  readonly veth: string;
}

const freshEntry = ({ endpoint, network, runId, mac, ip, ofport, veth }: NewEntry): Entry => ({
  endpoint: { slot: endpoint.slot, epoch: endpoint.epoch },
  network,
  runId,
  address: { mac, ip },
  number: { ofport, veth },
  state: 'prepared',
  abort: new AbortController(),
  sandboxPid: undefined,
  attaching: undefined,
  leaving: undefined,
  replugging: false,
});
