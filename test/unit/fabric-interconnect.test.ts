import { expect, test } from '@jest/globals';
import { compile } from '../../src/fabric/compile.ts';
import { planFabric } from '../../src/fabric/fabric-plan.ts';
import { interconnectFields, tunnelsOf, type Interconnect } from '../../src/fabric/interconnect.ts';
import { assignPorts, peerPortRange } from '../../src/fabric/port-numbers.ts';
import { recordFromWire, recordToWire } from '../../src/fabric/view-wire.ts';
import { agentId } from '../../src/model/ids.ts';
import { endpoint, host, network, switchOf, view } from '../support/fabric-views.ts';

const red = network('red', 7, '10.1.0.0/24');
const fabricOf = (interconnect: Interconnect, count: number) => {
  const hosts = Array.from({ length: count }, (_, i) => ({
    ...host(`h${i + 1}`, `172.16.0.${i + 1}`),
    ...interconnectFields(interconnect),
  }));
  const endpoints = hosts.map((on, i) =>
    endpoint({ app: '/web', index: i, network: red, host: on, ip: `10.1.0.${i + 3}` }),
  );
  return view(hosts, [red], endpoints);
};
const mesh: Interconnect = { mode: 'mesh', encapsulation: 'geneve' };

test('a mesh has exactly n(n-1)/2 links, each known at both of its ends', () => {
  for (const count of [1, 2, 3, 7]) {
    const fabric = fabricOf(mesh, count);
    const links = fabric.hosts.flatMap(({ id, underlayIp }) =>
      (tunnelsOf(fabric, id)?.peers ?? []).map((peer) => [underlayIp, peer].sort().join(' ')),
    );
    expect(links).toHaveLength(count * (count - 1));
    expect(new Set(links).size).toBe((count * (count - 1)) / 2);
  }
});

test('two hosts with one underlay address, of which one came back under another id, share a port', () => {
  const fabric = fabricOf(mesh, 3);
  const hosts = [...fabric.hosts, { ...host('h9', '172.16.0.2'), ...interconnectFields(mesh) }];
  expect(tunnelsOf({ ...fabric, hosts }, agentId('h1'))?.peers).toEqual(['172.16.0.2', '172.16.0.3']);
});

test('a view without the host itself says nothing about its tunnels', () => {
  expect(tunnelsOf(fabricOf(mesh, 2), agentId('stranger'))).toBeUndefined();
});

test('frames of a mesh come in and go out by the port of the peer', () => {
  const fabric = fabricOf(mesh, 3);
  const peerOfports = new Map([
    ['172.16.0.2', 2],
    ['172.16.0.3', 5],
  ]);
  const flows = compile(fabric, { ...switchOf(fabric, agentId('h1')), peerOfports });
  expect(flows.filter(({ table }) => table === 0).map(({ match }) => match)).toEqual(
    expect.arrayContaining(['in_port=2', 'in_port=5']),
  );
  expect(flows.some(({ match }) => match === 'in_port=1')).toBe(false);
  const out = flows.filter(({ actions }) => actions.includes('tun_id,output:')).map(({ actions }) => actions);
  expect(out).toEqual(['set_field:7->tun_id,output:2', 'set_field:7->tun_id,output:5']);
});

test('an endpoint of a peer without a port yet has no way, and no other peer gets its frames', () => {
  const fabric = fabricOf(mesh, 2);
  const flows = compile(fabric, { ...switchOf(fabric, agentId('h1')), peerOfports: new Map() });
  expect(flows.some(({ match, table }) => table === 40 && match.includes('dl_dst=0a:07:0a:01:00:04'))).toBe(
    false,
  );
});

test('peers keep their ports, and the port of one that left is not given to the next', () => {
  const first = assignPorts(new Map(), ['a', 'b', 'c'], peerPortRange);
  expect([...first]).toEqual([
    ['a', 2],
    ['b', 3],
    ['c', 4],
  ]);
  expect([...assignPorts(first, ['a', 'b', 'd'], peerPortRange)]).toEqual([
    ['a', 2],
    ['b', 3],
    ['d', 5],
  ]);
  expect(assignPorts(new Map([['a', 16_383]]), ['a', 'b'], peerPortRange).get('b')).toBe(2);
});

test('how a host is interconnected travels with its record, and the default takes no room', () => {
  const meshed = fabricOf(mesh, 1);
  expect(recordFromWire(recordToWire({ kind: 'snapshot', view: meshed }))).toEqual({
    kind: 'snapshot',
    view: meshed,
  });
  expect(interconnectFields({ mode: 'flow', encapsulation: 'vxlan' })).toEqual({});
});

test('the plan of a fabric counts what a switch of it really gets', () => {
  const shape = { hosts: 4, endpointsPerHost: 2, underlayMtu: 1500 };
  const flow = planFabric({ ...shape, interconnect: { mode: 'flow', encapsulation: 'vxlan' } });
  expect(flow).toMatchObject({
    links: 6,
    tunnelPortsPerHost: 1,
    tunnelPorts: 4,
    endpointMtu: 1450,
    endpoints: 8,
  });
  const meshed = planFabric({ ...shape, interconnect: mesh });
  expect(meshed).toMatchObject({ links: 6, tunnelPortsPerHost: 3, tunnelPorts: 12, endpointMtu: 1450 });
  // One flow more for each tunnel port after the first.
  expect(meshed.flowsPerHost).toBe(flow.flowsPerHost + 2);
  const fabric = fabricOf({ mode: 'flow', encapsulation: 'vxlan' }, 4);
  const real = compile(fabric, switchOf(fabric, agentId('h1'))).length;
  expect(planFabric({ ...shape, endpointsPerHost: 1, interconnect: flow.interconnect }).flowsPerHost).toBe(
    real,
  );
});
