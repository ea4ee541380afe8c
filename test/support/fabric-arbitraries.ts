import * as fc from 'fast-check';
import { formatIpv4, parseIpv4 } from '../../src/fabric/ipv4.ts';
import type { EndpointState, View, ViewEndpoint, ViewHost, ViewNetwork } from '../../src/fabric/view.ts';
import { endpoint, host, network } from './fabric-views.ts';

/** The places that generated fabrics draw from: few, so that what differs between two fabrics overlaps. */
export const hosts: readonly ViewHost[] = [1, 2, 3, 4].map((i) => host(`h${i}`, `172.16.0.${i}`));
/** Two networks with the same addresses, kept apart by their VNIs alone; one VNI uses all twenty bits. */
export const networks: readonly ViewNetwork[] = [
  network('red', 7, '10.1.0.0/24'),
  network('blue', 0xf_ff07, '10.1.0.0/24'),
  network('green', 0x8_0000, '192.168.255.0/29'),
];

interface Place {
  readonly network: ViewNetwork;
  readonly offset: number;
  readonly incarnations: readonly {
    readonly epoch: number;
    readonly host: ViewHost;
    readonly state: EndpointState;
  }[];
}

const incarnationArb = fc.record({
  epoch: fc.integer({ min: 1, max: 6 }),
  host: fc.constantFrom(...hosts),
  state: fc.constantFrom<EndpointState>('standby', 'active', 'draining'),
});

const placeArb = fc.record({
  network: fc.constantFrom(...networks),
  offset: fc.integer({ min: 3, max: 6 }),
  incarnations: fc.uniqueArray(incarnationArb, {
    minLength: 1,
    maxLength: 3,
    selector: ({ epoch }) => epoch,
  }),
});

function endpointsOf(place: Place, index: number): ViewEndpoint[] {
  const active = place.incarnations.findIndex(({ state }) => state === 'active');
  return place.incarnations.map(({ epoch, host: on, state }, i) =>
    endpoint({
      app: `/${place.network.name}`,
      index,
      epoch,
      network: place.network,
      host: on,
      ip: formatIpv4(parseIpv4(place.network.cidr.split('/')[0] ?? '') + place.offset),
      // At most one incarnation of a slot is active.
      state: state === 'active' && i !== active ? 'draining' : state,
    }),
  );
}

/** Routes between red and green, whose subnets do not overlap, and NAT in red. */
function withOptions(
  each: ViewNetwork,
  { there, back, nat }: { readonly there: boolean; readonly back: boolean; readonly nat: boolean },
): ViewNetwork {
  const [red, , green] = networks;
  if (each.name === red?.name)
    return { ...each, nat, ...(there && green !== undefined ? { routes: [green.name] } : {}) };
  return back && each.name === green?.name && red !== undefined ? { ...each, routes: [red.name] } : each;
}

/** Valid fabrics of up to 12 addresses in 3 networks on 4 hosts, in every mixture of states. */
export const fabricArb: fc.Arbitrary<View> = fc
  .tuple(
    fc.uniqueArray(placeArb, { maxLength: 12, selector: (place) => `${place.network.name}/${place.offset}` }),
    fc.record({ there: fc.boolean(), back: fc.boolean(), nat: fc.boolean() }),
  )
  .map(([places, options]) => {
    // The slot is that of the address, so that two fabrics know the same slots.
    const endpoints = places.flatMap((place) => endpointsOf(place, place.offset));
    const usedHosts = new Set(endpoints.map((each) => each.host));
    const usedNetworks = new Set(endpoints.map((each) => each.network));
    return {
      version: { term: 1, n: 1 },
      hosts: hosts.filter(({ id }) => usedHosts.has(id)),
      networks: networks
        .filter(({ name }) => usedNetworks.has(name))
        .map((each) => withOptions(each, options)),
      endpoints,
    };
  });

/** One step of a history: other endpoints, or only a host with another tunnel address, or a network with another number. */
const stepArb = fc.record({
  fabric: fabricArb,
  keep: fc.boolean(),
  moved: fc.nat({ max: 5 }),
  renumbered: fc.nat({ max: 5 }),
});

/** Fabrics that follow on each other: versions 1, 2, 3 … of one term. */
export const historyArb: fc.Arbitrary<readonly View[]> = fc
  .array(stepArb, { minLength: 2, maxLength: 6 })
  .map((steps) => {
    let current: View | undefined;
    return steps.map(({ fabric, keep, moved, renumbered }, step) => {
      current = keep && current !== undefined ? current : fabric;
      return {
        version: { term: 1, n: step + 1 },
        hosts: current.hosts.map((each, i) =>
          i === moved ? { ...each, underlayIp: `172.17.${step}.${i}` } : each,
        ),
        networks: current.networks.map((each, i) =>
          i === renumbered ? { ...each, vni: 10 * step + i + 1 } : each,
        ),
        endpoints: current.endpoints.filter((_, i) => !keep || i !== moved),
      };
    });
  });
