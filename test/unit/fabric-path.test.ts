import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { readHop } from '../../src/fabric/path/hop.ts';
import { parseTrace, portsInTrace } from '../../src/fabric/path/parse-trace.ts';
import { frameProblem, traceFlow, type PathFrame, type SwitchPort } from '../../src/fabric/path/question.ts';
import { slotIdFromText } from '../../src/model/ids.ts';

/** What a real Open vSwitch 3.1 with our flows printed. */
const recorded = (name: string): string =>
  readFileSync(path.resolve(import.meta.dirname, `../data/traces/${name}.txt`), 'utf8');

const frame: PathFrame = {
  protocol: 'tcp',
  sourceMac: '0a:07:0a:20:01:01',
  destinationMac: '0a:07:0a:20:01:02',
  source: '10.32.1.1',
  destination: '10.32.1.2',
  sourcePort: 40_000,
  destinationPort: 80,
  ttl: 64,
};

const endpointAt = (number: number, slot: string): SwitchPort => ({
  number,
  kind: 'endpoint',
  endpoint: { slot: slotIdFromText(slot), epoch: 1 },
});
const ports: readonly SwitchPort[] = [
  { number: 1, kind: 'tunnel' },
  { number: 16_384, kind: 'gateway', network: 'default' },
  ...[32_768, 32_769, 32_770].map((number) => endpointAt(number, `/port${number}#0`)),
];
const hop = (name: string) => readHop(recorded(name), ports, frame);
const tables = (name: string) => hop(name).steps.map(({ table }) => table);

test('a frame is followed from table to table to the port of an endpoint', () => {
  const { steps, end } = hop('same-host');
  expect(steps.map(({ table, says }) => `${table}: ${says}`)).toEqual([
    "classify: it comes in by an endpoint's port",
    "port security: MAC and address are the port's own",
    'gateway: it is not for the gateway',
    'forward: the destination is on this host',
    'output: out of the port',
  ]);
  expect(steps[1]?.rule).toEqual({
    priority: 100,
    match: 'ip,in_port=32768,dl_src=0a:07:0a:20:01:01,nw_src=10.32.1.1',
    cookie: '0x1020025f9cc99',
  });
  expect(end).toEqual({ kind: 'delivered', endpoint: { slot: '/port32769#0', epoch: 1 } });
});

test('it goes into the tunnel with the address of the other host, whose guard lets it in', () => {
  expect(hop('across-hosts').end).toEqual({ kind: 'tunnel', to: '198.19.250.12', tunnelId: 7 });
  expect(tables('across-hosts')).toEqual(['classify', 'port security', 'gateway', 'forward']);
  expect(tables('across-hosts-in')).toEqual(['classify', 'tunnel guard', 'forward', 'output']);
  expect(hop('across-hosts-in').end.kind).toBe('delivered');
});

test.each([
  ['spoofed', 'spoofed', 'port security'],
  ['fenced', 'fenced', 'tunnel guard'],
  ['unknown', 'unknown-destination', 'forward'],
  ['arp-unknown', 'unanswered-arp', 'arp'],
])('the drop of a frame that is %s is named', (name, reason, table) => {
  expect(hop(name).end).toEqual({ kind: 'dropped', table, reason });
  expect(hop(name).steps.at(-1)?.says).toMatch(/^dropped: /);
});

test('an ARP request is answered by the switch, and what leaves goes to the leg of the host', () => {
  expect(hop('arp').end).toEqual({ kind: 'answered' });
  expect(hop('nat-out').end).toEqual({ kind: 'gateway', network: 'default' });
  expect(hop('nat-out').steps.at(-2)?.says).toBe('it leaves the network by the gateway of this host');
});

test('a routed frame goes on as one of the other network', () => {
  const { end, frame: after, steps } = hop('routed');
  expect(end).toEqual({ kind: 'tunnel', to: '198.19.250.12', tunnelId: 8 });
  expect(after).toMatchObject({
    sourceMac: '0a:08:0a:28:00:01',
    destinationMac: '0a:08:0a:28:00:09',
    source: '10.32.1.1',
    ttl: 63,
  });
  expect(steps.at(-2)?.says).toBe('a route leads into the other network');
  expect(hop('routed-in').end.kind).toBe('delivered');
});

test('what connection tracking does in a handover belongs to the same way', () => {
  expect(tables('handover-syn')).toEqual([
    'classify',
    'port security',
    'gateway',
    'forward',
    'connections',
    'output',
  ]);
  expect(hop('handover-syn').end).toMatchObject({ kind: 'delivered', endpoint: { slot: '/port32770#0' } });
  expect(hop('handover-ack').end).toEqual({ kind: 'tunnel', to: '198.19.250.12', tunnelId: 0x80_0007 });
});

test('what is no trace, and a port that is none of ours, end unclear', () => {
  expect(readHop('', [], frame).end.kind).toBe('unclear');
  expect(readHop('syntax error', [], frame).steps).toEqual([]);
  expect(readHop(recorded('same-host'), [], frame).end).toMatchObject({ kind: 'unclear' });
  expect(portsInTrace(recorded('same-host'))).toEqual([32_769]);
  expect(parseTrace(' 5. No match.\n').steps).toEqual([]);
  const unmatched = parseTrace('bridge("b")\n-----------\n 5. No match.\n    drop\n');
  expect(unmatched.steps).toEqual([{ table: 5, rule: undefined, actions: ['drop'] }]);
});

test('a frame is written as a flow, and what cannot be written into one is refused', () => {
  const tunnel = { kind: 'tunnel', from: '198.19.250.11', tunnelId: 7 } as const;
  expect(traceFlow(frame, tunnel, 1, '198.19.250.12')).toBe(
    'tcp,tun_id=7,tun_src=198.19.250.11,tun_dst=198.19.250.12,in_port=1,' +
      'dl_src=0a:07:0a:20:01:01,dl_dst=0a:07:0a:20:01:02,nw_src=10.32.1.1,nw_dst=10.32.1.2,nw_ttl=64,' +
      'tp_src=40000,tp_dst=80,tcp_flags=syn',
  );
  expect(frameProblem(frame)).toBeUndefined();
  expect(frameProblem({ ...frame, sourceMac: '0a:07:0a:20:01:01,actions=drop' })).toMatch(/no MAC/);
  expect(frameProblem({ ...frame, destination: '10.32.1.2,x' })).toMatch(/no IPv4/);
  expect(frameProblem({ ...frame, destinationPort: 70_000 })).toMatch(/65535/);
});
