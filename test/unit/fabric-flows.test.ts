import { expect, test } from '@jest/globals';
import { compile } from '../../src/fabric/compile.ts';
import { FlowCompiler } from '../../src/fabric/flow-compiler.ts';
import { FlowObjects } from '../../src/fabric/flow-objects.ts';
import { appNumber } from '../../src/fabric/traffic.ts';
import { compareViews } from '../../src/fabric/view-diff.ts';
import { ViewIndex } from '../../src/fabric/view-index.ts';
import { cookieOf, cookieParts, nextRound, objectNumber } from '../../src/fabric/cookie.ts';
import { bundleText, diffFlows, flowsText, flowText, isEmptyDiff } from '../../src/fabric/flow.ts';
import type { Flow } from '../../src/fabric/flow.ts';
import { macOf } from '../../src/fabric/mac.ts';
import { maxArpFlows } from '../../src/fabric/objects/network.ts';
import { touchedByPorts, touchedKeys } from '../../src/fabric/touched.ts';
import type { ViewEndpoint } from '../../src/fabric/view.ts';
import { agentId } from '../../src/model/ids.ts';
import { frameOf, Pipeline } from '../support/fabric-pipeline.ts';
import { endpoint, host, largeView, network, switchOf, view } from '../support/fabric-views.ts';

const here = host('here', '172.16.0.1');
const there = host('there', '172.16.0.2');
const red = network('red', 7, '10.1.0.0/16');
const web = endpoint({ app: '/web', network: red, host: here, ip: '10.1.0.5' });
const db = endpoint({ app: '/db', network: red, host: there, ip: '10.1.0.6' });

/** The flows that are in `endpoints` and not on a switch whose network is empty, without their cookies. */
function flowsFor(endpoints: readonly ViewEndpoint[]): string[] {
  const populated = view([here, there], [red], endpoints);
  const local = switchOf(populated, here.id);
  const empty = compile(view([here, there], [red], []), local);
  return diffFlows(empty, compile(populated, local))
    .add.map((flow) => flowText({ ...flow, cookie: 0n }).slice('cookie=0x0,'.length))
    .sort();
}

test('a switch with an empty view drops everything, with reasons', () => {
  const local = switchOf(view([], [], []), here.id);
  expect(flowsText(compile(view([], [], []), local)).split('\n')).toEqual([
    'cookie=0x1810000000000,table=0,priority=200,vlan_tci=0x1000/0x1000 actions=drop',
    'cookie=0x1010000000000,table=0,priority=100,in_port=1 actions=move:NXM_NX_TUN_ID[0..19]->NXM_NX_REG0[0..19],move:NXM_NX_TUN_ID[23]->NXM_NX_REG1[1],set_field:0x1/0x1->reg1,goto_table:5',
    'cookie=0x1800000000000,table=0,priority=0 actions=drop',
    'cookie=0x1010000000000,table=1,priority=0 actions=drop',
    'cookie=0x1070000000000,table=5,priority=120,udp,reg0=0xfffff,nw_dst=198.18.0.5,tp_dst=7 actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:0a:ff:c6:12:00:05->eth_src,move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],set_field:198.18.0.5->ip_src,move:NXM_NX_TUN_IPV4_SRC[]->NXM_NX_TUN_IPV4_DST[],set_field:1048575->tun_id,IN_PORT',
    'cookie=0x1820000000000,table=5,priority=0 actions=drop',
    'cookie=0x1850000000000,table=10,priority=60,ipv6 actions=drop',
    'cookie=0x1840000000000,table=10,priority=0 actions=drop',
    'cookie=0x1870000000000,table=15,priority=0 actions=drop',
    'cookie=0x1010000000000,table=35,priority=0 actions=goto_table:40',
    'cookie=0x1880000000000,table=40,priority=50,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=drop',
    'cookie=0x1890000000000,table=40,priority=0 actions=drop',
    'cookie=0x1010000000000,table=58,priority=0 actions=goto_table:60',
    'cookie=0x1010000000000,table=60,priority=100 actions=output:NXM_NX_REG3[]',
    '',
  ]);
});

test('an endpoint that its host lets out leaves by the gateway, whatever the network says', () => {
  const populated = view([here, there], [{ ...red, forwards: true }], [{ ...web, nat: true }]);
  const local = { ...switchOf(populated, here.id), gatewayOfports: new Map([[red.name, 16_384]]) };
  const flows = compile(populated, local).map((flow) => flowText({ ...flow, cookie: 0n }));
  const leaving = 'dl_dst=0a:07:0a:01:00:01,nw_src=10.1.0.5 actions=set_field:16384->reg3,goto_table:58';
  expect(flows).toContain(`cookie=0x0,table=35,priority=60,ip,in_port=32768,${leaving}`);
});

test('a local endpoint may speak as itself and is reached at its port', () => {
  expect(flowsFor([web])).toEqual([
    'table=0,priority=90,in_port=32768 actions=set_field:7->reg0,set_field:2905438680->reg2,goto_table:10',
    'table=10,priority=10,in_port=32768 actions=drop',
    'table=10,priority=100,arp,in_port=32768,dl_src=0a:07:0a:01:00:05,arp_sha=0a:07:0a:01:00:05,arp_spa=10.1.0.5 actions=goto_table:15',
    'table=10,priority=100,ip,in_port=32768,dl_src=0a:07:0a:01:00:05,nw_src=10.1.0.5 actions=goto_table:35',
    'table=10,priority=90,arp,in_port=32768,dl_src=0a:07:0a:01:00:05,arp_sha=0a:07:0a:01:00:05,arp_op=1,arp_spa=0.0.0.0 actions=goto_table:15',
    'table=15,priority=10,in_port=32768 actions=drop',
    'table=15,priority=100,arp,reg0=0x7,dl_src=0a:07:0a:01:00:05,arp_tpa=10.1.0.5 actions=drop',
    'table=15,priority=50,arp,reg0=0x7,arp_op=1,arp_tpa=10.1.0.5 actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:0a:07:0a:01:00:05->eth_src,set_field:2->arp_op,move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],set_field:0a:07:0a:01:00:05->arp_sha,move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],set_field:10.1.0.5->arp_spa,IN_PORT',
    'table=40,priority=100,reg0=0x7,dl_dst=0a:07:0a:01:00:05 actions=set_field:32768->reg3,set_field:2905438680->reg4,goto_table:58',
    'table=40,priority=20,in_port=32768 actions=drop',
    'table=5,priority=50,reg0=0x7,dl_src=0a:07:0a:01:00:05 actions=drop',
    'table=58,priority=100,reg0=0x7,reg2=0x1,reg4=0xad2d79d8 actions=goto_table:60',
    'table=58,priority=100,reg0=0x7,reg2=0xad2d79d8,reg4=0xad2d79d8 actions=goto_table:60',
  ]);
});

test('a remote endpoint costs four flows: guard, fence, ARP and forwarding', () => {
  expect(flowsFor([db])).toEqual([
    'table=15,priority=50,arp,reg0=0x7,arp_op=1,arp_tpa=10.1.0.6 actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:0a:07:0a:01:00:06->eth_src,set_field:2->arp_op,move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],set_field:0a:07:0a:01:00:06->arp_sha,move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],set_field:10.1.0.6->arp_spa,IN_PORT',
    'table=40,priority=100,reg0=0x7,reg1=0x0/0x1,dl_dst=0a:07:0a:01:00:06 actions=set_field:7->tun_id,set_field:172.16.0.2->tun_dst,output:1',
    'table=5,priority=100,ip,reg0=0x7,dl_src=0a:07:0a:01:00:06,tun_src=172.16.0.2 actions=set_field:3887035716->reg2,goto_table:40',
    'table=5,priority=50,reg0=0x7,dl_src=0a:07:0a:01:00:06 actions=drop',
  ]);
});

test('while two incarnations share an address, replies are told apart by their port range', () => {
  const standby = { ...web, epoch: 2, host: there.id, state: 'standby' as const };
  expect(flowsFor([web, standby]).filter((line) => line.startsWith('table=40'))).toEqual([
    'table=40,priority=100,reg0=0x7,dl_dst=0a:07:0a:01:00:05 actions=set_field:32768->reg3,set_field:2905438680->reg4,goto_table:58',
    'table=40,priority=20,in_port=32768 actions=drop',
    'table=40,priority=250,tcp,reg0=0x7,dl_dst=0a:07:0a:01:00:05,tp_dst=0xc000/0xc000,tcp_flags=+ack actions=set_field:32768->reg3,set_field:2905438680->reg4,goto_table:58',
    'table=40,priority=250,tcp,reg0=0x7,reg1=0x0/0x1,dl_dst=0a:07:0a:01:00:05,tp_dst=0x8000/0xc000,tcp_flags=+ack actions=set_field:7->tun_id,set_field:172.16.0.2->tun_dst,output:1',
    'table=40,priority=250,udp,reg0=0x7,dl_dst=0a:07:0a:01:00:05,tp_dst=0xc000/0xc000 actions=set_field:32768->reg3,set_field:2905438680->reg4,goto_table:58',
    'table=40,priority=250,udp,reg0=0x7,reg1=0x0/0x1,dl_dst=0a:07:0a:01:00:05,tp_dst=0x8000/0xc000 actions=set_field:7->tun_id,set_field:172.16.0.2->tun_dst,output:1',
  ]);
});

test('an endpoint that is not plugged in yet has no port flows and gets no frames', () => {
  const only = view([here], [red], [web]);
  const flows = compile(only, { ...switchOf(only, here.id), ofports: new Map() });
  expect(flows.filter((flow) => flow.match.includes('in_port=3'))).toEqual([]);
  expect(flows.filter((flow) => flow.table === 40 && flow.match.includes(web.mac))).toEqual([]);
});

test('above the limit one flow answers ARP for the whole network, except for a MAC of its own', () => {
  const large = largeView(2, maxArpFlows + 1);
  const [first, ...rest] = large.endpoints;
  if (first === undefined) throw new Error('the view has no endpoints');
  const pinned = { ...large, endpoints: [{ ...first, mac: '0a:99:00:00:00:01' }, ...rest] };
  const answers = compile(pinned, switchOf(pinned, agentId('agent-0'))).filter(
    (flow) => flow.table === 15 && flow.priority < 60 && flow.actions !== 'drop',
  );
  expect(new Set(answers.map((flow) => flow.match))).toEqual(
    new Set(['arp,reg0=0x7,arp_op=1,arp_tpa=10.32.0.0/16', `arp,reg0=0x7,arp_op=1,arp_tpa=${first.ip}`]),
  );
});

test('the one flow answers for any address with the MAC that the address would have', () => {
  const large = largeView(2, maxArpFlows + 1);
  const [asker] = large.endpoints;
  if (asker === undefined) throw new Error('the view has no endpoints');
  const pipeline = new Pipeline(compile(large, switchOf(large, asker.host)));
  const request = { in_port: 32_768, dl_type: 0x806, dl_src: asker.mac, arp_op: 1, arp_sha: asker.mac };
  const answer = pipeline.run(frameOf({ ...request, arp_spa: asker.ip, arp_tpa: '10.32.200.1' }));
  const mac = macOf(7, '10.32.200.1');
  const reply = { dl_src: mac, dl_dst: asker.mac, arp_op: 2, arp_sha: mac, arp_spa: '10.32.200.1' };
  expect(answer.outputs).toMatchObject([
    { port: 32_768, frame: frameOf({ ...reply, arp_tha: asker.mac, arp_tpa: asker.ip }) },
  ]);
});

test('passing the limit touches every address of the network, in either direction', () => {
  const above = largeView(2, maxArpFlows + 1);
  const below = { ...above, endpoints: above.endpoints.slice(1) };
  for (const [before, after] of [
    [above, below],
    [below, above],
  ] as const) {
    const local = switchOf(above, agentId('agent-0'));
    const compiler = new FlowCompiler();
    compiler.update(before, local);
    const now = compiler.update(after, local);
    expect(isEmptyDiff(diffFlows(now.all(), compile(after, local)))).toBe(true);
  }
});

test('a change touches only the objects of its endpoint', () => {
  const before = view([here, there], [red], [web, db]);
  const after = view([here, there], [red], [{ ...web, state: 'draining' }, db]);
  expect([...touchedKeys(before, after, compareViews(before, after))]).toEqual([
    'address:red/10.1.0.5',
    'port:/web#0@1',
  ]);
});

test('an endpoint that is plugged in touches its address and its port', () => {
  const of = view([here, there], [red], [web, db]);
  const after = switchOf(of, here.id);
  const before = { ...after, ofports: new Map() };
  expect([...touchedByPorts(new ViewIndex(of, here.id), before, after)]).toEqual([
    'address:red/10.1.0.5',
    'port:/web#0@1',
  ]);
});

test('an endpoint that moves to another host changes guard and forwarding, and nothing else', () => {
  const before = view([here, there], [red], [web, db]);
  const third = host('third', '172.16.0.3');
  const after = view([here, there, third], [red], [web, { ...db, epoch: 2, host: third.id }], 2);
  const local = switchOf(before, here.id);
  const compiler = new FlowCompiler();
  const diff = compiler.update(before, local).diff(compiler.update(after, local));
  expect(bundleText(diff).replaceAll(/cookie=\w+,/g, '')).toBe(
    'flow delete_strict table=5,priority=100,ip,reg0=0x7,dl_src=0a:07:0a:01:00:06,tun_src=172.16.0.2\n' +
      'flow add table=40,priority=100,reg0=0x7,reg1=0x0/0x1,dl_dst=0a:07:0a:01:00:06 actions=set_field:7->tun_id,set_field:172.16.0.3->tun_dst,output:1\n' +
      `flow add table=5,priority=100,ip,reg0=0x7,dl_src=0a:07:0a:01:00:06,tun_src=172.16.0.3 actions=set_field:${appNumber(db.app)}->reg2,goto_table:40\n`,
  );
});

test('equal sets of flows have an empty difference and an empty bundle', () => {
  const of = view([here, there], [red], [web, db]);
  const diff = diffFlows(compile(of, switchOf(of, here.id)), compile(of, switchOf(of, here.id)));
  expect([isEmptyDiff(diff), bundleText(diff), flowsText([])]).toEqual([true, '', '']);
});

test('a new round changes every flow in place', () => {
  const of = view([here, there], [red], [web, db]);
  const flows = compile(of, switchOf(of, here.id));
  const diff = diffFlows(flows, compile(of, switchOf(of, here.id, 2)));
  expect([diff.add.length, diff.remove.length, diff.modify.length]).toEqual([0, 0, flows.length]);
});

test('a cookie says round, category, reason and object', () => {
  const cookie = cookieOf(0xabcd, 'fenced', 0xfedcba98);
  expect(cookie.toString(16)).toBe('abcd8300fedcba98');
  expect(cookieParts(cookie)).toEqual({
    round: 0xabcd,
    category: 0x83,
    object: 0xfedcba98,
    dropReason: 'fenced',
  });
  expect(cookieParts(cookieOf(1, 'endpointLocal', 5))).toEqual({
    round: 1,
    category: 2,
    object: 5,
    purpose: 'endpointLocal',
  });
});

test('rounds go from 1 to 65535 and start over', () => {
  expect([nextRound(1), nextRound(65_534), nextRound(65_535)]).toEqual([2, 65_535, 1]);
});

test('the number of an object is stable and never that of the whole switch', () => {
  expect(objectNumber('address:red/10.1.0.5')).toBe(objectNumber('address:red/10.1.0.5'));
  const numbers = new Set(Array.from({ length: 1_000 }, (_, i) => objectNumber(`port:/web#${i}@1`)));
  expect([numbers.size, numbers.has(0)]).toEqual([1_000, false]);
});

test('flows of one identity in two objects of one change are replaced, not removed', () => {
  const flow: Flow = { table: 40, priority: 1, match: '', actions: 'drop', cookie: 1n };
  const before = FlowObjects.of([['address:a', [flow]]]);
  const after = FlowObjects.of([['address:b', [{ ...flow, cookie: 2n }]]]);
  expect(before.diff(after)).toEqual({ add: [], modify: [{ ...flow, cookie: 2n }], remove: [] });
});

const machine = { ...endpoint({ app: '/vm', network: red, host: here, ip: '10.1.0.9' }), device: 'tap0' };
const hardware = '52:54:00:12:34:56';

/** A switch with a container and a machine of MAC `hardware`; its leg in the network is port 16384. */
function switchWithMachine(): Pipeline {
  const populated = view([here, there], [red], [web, { ...machine, mac: hardware }]);
  const local = { ...switchOf(populated, here.id), gatewayOfports: new Map([[red.name, 16_384]]) };
  return new Pipeline(compile(populated, local));
}

const dhcp = (fields: Readonly<Record<string, string | number>>) =>
  frameOf({
    in_port: 32_769,
    dl_type: 0x800,
    dl_src: hardware,
    dl_dst: 'ff:ff:ff:ff:ff:ff',
    nw_src: '0.0.0.0',
    nw_dst: '255.255.255.255',
    nw_proto: 17,
    tp_src: 68,
    tp_dst: 67,
    ...fields,
  });

test('a machine asks the server of its own host for its address, as itself alone; containers do not', () => {
  const pipeline = switchWithMachine();
  const portsOf = (fields: Parameters<typeof dhcp>[0]) =>
    pipeline.run(dhcp(fields)).outputs.map(({ port }) => port);
  expect(portsOf({})).toEqual([16_384]);
  expect(portsOf({ nw_src: '10.1.0.9' })).toEqual([16_384]);
  const renewal = { nw_src: '10.1.0.9', dl_dst: macOf(7, '10.1.0.1'), nw_dst: '10.1.0.2' };
  expect(portsOf(renewal)).toEqual([16_384]);
  for (const refused of [
    { dl_src: '52:54:00:99:99:99' },
    { nw_src: '10.1.0.5' },
    { tp_dst: 53 },
    { in_port: 32_768, dl_src: web.mac },
    { ...renewal, in_port: 32_768, dl_src: web.mac, nw_src: web.ip },
  ])
    expect([refused, portsOf(refused)]).toEqual([refused, []]);
});

test('answers of the server of leases to everybody reach machines, and no container', () => {
  const answer = {
    in_port: 16_384,
    dl_src: macOf(7, '10.1.0.1'),
    nw_src: '10.1.0.2',
    tp_src: 67,
    tp_dst: 68,
  };
  const { outputs } = switchWithMachine().run(dhcp(answer));
  expect(outputs.map(({ port }) => port)).toEqual([32_769]);
  const direct = switchWithMachine().run(dhcp({ ...answer, dl_dst: hardware, nw_dst: '10.1.0.9' }));
  expect(direct.outputs.map(({ port }) => port)).toEqual([32_769]);
});

test('what is routed to a machine by the rule of addresses gets the MAC that it has', () => {
  const blue = { ...network('blue', 8, '10.2.0.0/16'), routes: [red.name] };
  const guest = endpoint({ app: '/guest', network: blue, host: here, ip: '10.2.0.5' });
  const populated = view([here], [red, blue], [guest, { ...machine, mac: hardware }]);
  const pipeline = new Pipeline(compile(populated, switchOf(populated, here.id)));
  const { outputs } = pipeline.run(
    dhcp({
      in_port: 32_768,
      dl_src: guest.mac,
      dl_dst: macOf(8, '10.2.0.1'),
      nw_src: guest.ip,
      nw_dst: machine.ip,
      nw_ttl: 64,
    }),
  );
  expect(outputs).toMatchObject([{ port: 32_769, frame: frameOf({ dl_dst: hardware }) }]);
});
