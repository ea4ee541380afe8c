import { appNumber } from '../traffic.ts';
import { redirectBit } from '../tables.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { endpointKey } from '../view.ts';
import type { ViewEndpoint, ViewNetwork } from '../view.ts';
import type { ViewIndex } from '../view-index.ts';
import { evenBack, toHost, toPort } from './actions.ts';

/** Where an incarnation is, seen from this switch, and what brings a frame there. */
export type Place =
  | { readonly local: true; readonly actions: string }
  | {
      readonly local: false;
      readonly underlayIp: string;
      readonly actions: string;
      /** The same for a frame that may have come out of the tunnel itself. */
      readonly relay: string;
      /** Like relay, and the other host keeps it whatever it thinks. */
      readonly redirect: string;
    };

/** Undefined: a local incarnation that is not plugged in yet, or a host that there is no tunnel to. */
export function placeOf(
  incarnation: ViewEndpoint,
  network: ViewNetwork,
  index: ViewIndex,
  local: LocalSwitch,
): Place | undefined {
  if (incarnation.host === local.agentId) {
    const ofport = local.ofports.get(endpointKey(incarnation));
    return ofport === undefined
      ? undefined
      : { local: true, actions: toPort(ofport, appNumber(incarnation.app)) };
  }
  const host = index.hosts.get(incarnation.host);
  if (host === undefined) return undefined;
  const { underlayIp } = host;
  const actions = toHost(network.vni, underlayIp, local);
  const redirect = toHost(network.vni + redirectBit, underlayIp, local);
  if (actions === undefined || redirect === undefined) return undefined;
  return { local: false, underlayIp, actions, relay: evenBack(actions), redirect: evenBack(redirect) };
}
