import type { AgentId } from '../model/ids.ts';
import type { View, ViewHost } from './view.ts';

/** What frames between hosts are wrapped in. Both travel over UDP: VXLAN on port 4789, Geneve on 6081. */
export type Encapsulation = 'vxlan' | 'geneve';

/** `flow`: one tunnel port takes frames to every host. `mesh`: one port for each peer, with counters of its own. */
export type TunnelMode = 'flow' | 'mesh';

/** How the hosts of a fabric are interconnected; the same on all of them. */
export interface Interconnect {
  readonly mode: TunnelMode;
  readonly encapsulation: Encapsulation;
}

/** What a fabric has that says nothing else. */
export const defaultInterconnect: Interconnect = { mode: 'flow', encapsulation: 'vxlan' };

/** The part of a host's record that says how it is interconnected; nothing for the default. */
export const interconnectFields = (
  interconnect: Interconnect,
): Pick<ViewHost, 'encapsulation' | 'portPerPeer'> => ({
  ...(interconnect.encapsulation === 'vxlan' ? {} : { encapsulation: interconnect.encapsulation }),
  ...(interconnect.mode === 'flow' ? {} : { portPerPeer: true }),
});

/** The tunnels that a host shall have. */
export interface TunnelWish {
  readonly encapsulation: Encapsulation;
  /** Underlay addresses of the hosts that get a port of their own, sorted; undefined: one port for all. */
  readonly peers: readonly string[] | undefined;
}

/** The tunnels of a host before it has a view. */
export const firstTunnels: TunnelWish = { encapsulation: 'vxlan', peers: undefined };

/**
 * The tunnels that a view asks of the host `self`: in a mesh, a port for each other host of the view. Undefined when
 * the view does not have the host: it then has no say in anything, and what is there stays.
 */
export function tunnelsOf(view: View, self: AgentId): TunnelWish | undefined {
  const own = view.hosts.find((host) => host.id === self);
  if (own === undefined) return undefined;
  const encapsulation = own.encapsulation ?? 'vxlan';
  if (own.portPerPeer !== true) return { encapsulation, peers: undefined };
  const addresses = new Set(view.hosts.map((host) => host.underlayIp));
  addresses.delete(own.underlayIp);
  return { encapsulation, peers: [...addresses].sort() };
}

/** True when both ask for the same ports. */
export const sameTunnels = (one: TunnelWish, other: TunnelWish): boolean =>
  one.encapsulation === other.encapsulation && one.peers?.join() === other.peers?.join();
