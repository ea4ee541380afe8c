import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { defaultViewLimits, ViewHub } from '../../scheduler/driver/views/hub.ts';
import { endpointKey, type ViewEndpoint } from '../../src/fabric/view.ts';
import type { ViewRecord } from '../../src/fabric/view-wire.ts';
import { agentId, type AgentId } from '../../src/model/ids.ts';
import { endpoint, host, network } from '../support/fabric-views.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ViewClient } from '../support/view-client.ts';

const [one, two, three] = [1, 2, 3].map((i) => host(`h${i}`, `10.0.0.${i}`)) as [
  ReturnType<typeof host>,
  ReturnType<typeof host>,
  ReturnType<typeof host>,
];
const red = network('red', 7, '10.32.0.0/16');
const blue = network('blue', 8, '10.33.0.0/16');

let clock: ManualClock;
let hub: ViewHub;
let converged: string[];
let cutOff: AgentId[];
let unreachable: Set<AgentId>;

beforeEach(() => {
  clock = new ManualClock();
  converged = [];
  cutOff = [];
  unreachable = new Set();
  hub = new ViewHub({
    ...defaultViewLimits,
    term: 3,
    clock,
    isReachable: (id) => !unreachable.has(id),
    onConverged: (endpointOf) => converged.push(endpointKey(endpointOf)),
    onCutOff: (id) => cutOff.push(id),
  });
  hub.setNetworks([red, blue]);
  for (const each of [one, two, three]) hub.setHost(each);
});

afterEach(() => hub.close());

function put(...endpoints: ViewEndpoint[]): void {
  for (const each of endpoints) hub.setEndpoints(each.slot, [each]);
  clock.advance(10);
}

const web = (index: number, on: typeof one, extra: Partial<ViewEndpoint> = {}): ViewEndpoint => ({
  ...endpoint({ app: '/web', index, network: red, host: on, ip: `10.32.0.${10 + index}` }),
  ...extra,
});

function client(of: typeof one): ViewClient {
  const made = new ViewClient(hub, of.id);
  made.connect();
  return made;
}

test('a host gets only the networks that it hosts, with their hosts and endpoints', () => {
  const elsewhere = endpoint({ app: '/db', network: blue, host: three, ip: '10.33.0.10' });
  put(web(0, one), web(1, two), elsewhere);
  const first = client(one);
  first.read();
  expect(first.view).toEqual({
    version: { term: 3, n: 1 },
    hosts: [one, two],
    networks: [red],
    endpoints: [web(0, one), web(1, two)],
  });
});

test('changes within the coalescing time become one version', () => {
  put(web(0, one));
  const first = client(one);
  first.read();
  for (let i = 1; i <= 20; i += 1) hub.setEndpoints(web(i, one).slot, [web(i, one)]);
  expect(first.unread).toEqual([]);
  clock.advance(10);
  expect(first.unread).toHaveLength(1);
  first.read();
  expect(first.view?.version).toEqual({ term: 3, n: 2 });
  expect(first.view?.endpoints).toHaveLength(21);
});

test('a change goes only to the hosts that share the network', () => {
  put(web(0, one), endpoint({ app: '/db', network: blue, host: two, ip: '10.33.0.10' }));
  const other = client(two);
  other.read();
  put(web(1, one));
  expect(other.unread).toEqual([]);
});

test('hosts that are told the same share one record, so that it is made and encoded once', () => {
  put(web(0, one), web(1, two), web(2, three));
  const records = [one, two, three].map((each) => {
    const written: ViewRecord[] = [];
    const sink = { write: (record: ViewRecord) => written.push(record), outstandingBytes: 0, end: () => {} };
    hub.connect(each.id, undefined, sink);
    return written;
  });
  const snapshots = records.map(([first]) => first);
  expect(snapshots[0]).toMatchObject({ kind: 'snapshot', view: { endpoints: { length: 3 } } });
  expect(new Set(snapshots).size).toBe(1);
  // The third host leaves the network with it, so it is told something else.
  put(web(2, one, { epoch: 2 }));
  const [first, second, third] = records.map((written) => written.find(({ kind }) => kind === 'delta'));
  expect(first).toMatchObject({ delta: { removedHosts: [three.id] } });
  expect(second).toBe(first);
  expect(third).toMatchObject({ delta: { removedNetworks: [red.name] } });
});

test('an endpoint stays hidden until its host has told its tunnel address', () => {
  const unknown = host('h9', '10.0.0.9');
  put(web(0, one), web(1, unknown));
  const first = client(one);
  first.read();
  expect(first.view?.endpoints).toEqual([web(0, one)]);
  hub.setHost(unknown);
  clock.advance(10);
  first.read();
  expect(first.view?.endpoints).toHaveLength(2);
  expect(first.view?.hosts).toEqual([one, unknown]);
});

test('a host that comes back goes on from its version by deltas', () => {
  put(web(0, one));
  const first = client(one);
  first.catchUp();
  first.disconnect();
  put(web(1, two));
  put(web(2, two));
  first.connect();
  expect(first.unread.map((record) => record.kind)).toEqual(['delta', 'delta', 'converged']);
  first.read();
  expect(first.view?.endpoints).toHaveLength(3);
  expect(first.snapshots).toEqual([1]);
});

test('a host that missed more than the log holds gets a snapshot', () => {
  put(web(0, one));
  const first = client(one);
  first.read();
  first.disconnect();
  for (let i = 0; i < defaultViewLimits.maxDeltas + 1; i += 1) put(web(1, two, { hostname: `x${i}` }));
  first.connect();
  first.read();
  expect(first.snapshots).toHaveLength(2);
  expect(first.view?.endpoints).toHaveLength(2);
});

test('a version of an earlier leader is answered with a snapshot of this term', () => {
  put(web(0, one));
  const first = client(one);
  first.read();
  first.disconnect();
  first.view = { ...first.view!, version: { term: 2, n: 1 } };
  first.connect();
  first.read();
  expect(first.view?.version).toEqual({ term: 3, n: 1 });
});

test('a host that leaves a network forgets it and the hosts that it only met there', () => {
  put(
    web(0, one),
    web(1, two),
    endpoint({ app: '/db', network: blue, host: one, ip: '10.33.0.10' }),
    endpoint({ app: '/db', index: 1, network: blue, host: three, ip: '10.33.0.11' }),
  );
  const first = client(one);
  first.read();
  hub.setEndpoints(web(0, one).slot, []);
  clock.advance(10);
  first.read();
  expect(first.view?.networks).toEqual([blue]);
  expect(first.view?.hosts.map((each) => each.id).toSorted()).toEqual([one.id, three.id]);
  expect(first.view?.endpoints).toHaveLength(2);
});

test('a changed tunnel address reaches the hosts that share a network', () => {
  put(web(0, one), web(1, two));
  const first = client(one);
  first.read();
  hub.setHost({ ...two, underlayIp: '10.9.9.9' });
  clock.advance(10);
  first.read();
  expect(first.view?.hosts).toContainEqual({ ...two, underlayIp: '10.9.9.9' });
});

test('an endpoint converges when every connected host of the network has put it in force', () => {
  put(web(0, one), web(1, two), web(2, three));
  const clients = [client(one), client(two), client(three)];
  for (const each of clients) each.catchUp();
  converged = [];
  put(web(3, one));
  clients[0]!.catchUp();
  clients[1]!.catchUp();
  expect(converged).toEqual([]);
  clients[2]!.catchUp();
  expect(converged).toEqual(['/web#3@1']);
  clients[0]!.read();
  expect(clients[0]!.converged.get('/web#3@1')).toBe('active');
});

test('each new state of an endpoint converges again', () => {
  put(web(0, one, { state: 'standby' }), web(1, two));
  const clients = [client(one), client(two)];
  for (const each of clients) each.catchUp();
  converged = [];
  put(web(0, one, { state: 'active' }));
  expect(converged).toEqual([]);
  for (const each of clients) each.catchUp();
  expect(converged).toEqual(['/web#0@1']);
});

test('nobody waits for a host that is not connected or not reachable, but always for the own one', () => {
  put(web(0, one), web(1, two), web(2, three));
  expect(converged).toEqual([]);
  const [first, second] = [client(one), client(two)];
  first.catchUp();
  expect(converged).toEqual([]);
  unreachable.add(two.id);
  clock.advance(1_000);
  expect(converged).toEqual(['/web#0@1']);
  second.catchUp();
  expect(converged).toEqual(['/web#0@1', '/web#1@1']);
});

test('a host that goes away while it is waited for does not hold the others up', () => {
  put(web(0, one), web(1, two));
  const [first, second] = [client(one), client(two)];
  first.catchUp();
  expect(converged).toEqual([]);
  second.disconnect();
  expect(converged).toEqual(['/web#0@1']);
});

test('a host that comes while an endpoint waits for others is waited for too', () => {
  put(web(0, one), web(1, two), web(2, three));
  const [first, second] = [client(one), client(two)];
  const third = client(three);
  second.catchUp();
  third.catchUp();
  converged = [];
  second.disconnect();
  put(web(3, one));
  second.connect();
  third.catchUp();
  first.catchUp();
  expect(converged).not.toContain('/web#3@1');
  second.catchUp();
  expect(converged).toContain('/web#3@1');
});

test('a host whose stream was opened anew is waited for at the next change, however late that comes', () => {
  put(web(0, one), web(1, two));
  const [first, second] = [client(one), client(two)];
  for (const each of [first, second]) each.catchUp();
  second.disconnect();
  second.connect();
  clock.advance(2 * defaultViewLimits.ackTimeoutMs);
  converged = [];
  put(web(0, one, { epoch: 2 }));
  first.catchUp();
  clock.advance(2_000);
  expect(converged).toEqual([]);
  second.catchUp();
  expect(converged).toEqual(['/web#0@2']);
});

test('a host that never catches up is not waited for after a while', () => {
  put(web(0, one), web(1, two));
  const first = client(one);
  client(two);
  first.catchUp();
  clock.advance(defaultViewLimits.ackTimeoutMs - 1_000);
  expect(converged).toEqual([]);
  clock.advance(2_000);
  expect(converged).toEqual(['/web#0@1']);
});

test('a host that comes back learns what converged while it was away', () => {
  put(web(0, one));
  const first = client(one);
  first.catchUp();
  first.converged.clear();
  first.disconnect();
  first.connect();
  first.read();
  expect(first.converged.get('/web#0@1')).toBe('active');
});

test('an acknowledgement of another term or of the future counts for nothing', () => {
  put(web(0, one));
  client(one).read();
  hub.acknowledge(one.id, { term: 2, n: 50 });
  hub.acknowledge(one.id, { term: 3, n: 50 });
  expect(converged).toEqual([]);
  expect(hub.status(one.id)).toMatchObject({ applied: undefined, lag: 1 });
});

test('a host that reads too slowly is cut off, and continues when it comes back', () => {
  put(web(0, one), web(1, two));
  const first = client(one);
  first.read();
  first.outstandingBytes = defaultViewLimits.maxOutstandingBytes + 1;
  put(web(2, two));
  expect(first.cut).toBe(true);
  expect(cutOff).toEqual([one.id]);
  expect(hub.isConnected(one.id)).toBe(false);
  first.connect();
  first.read();
  expect(first.view?.endpoints).toHaveLength(3);
  expect(first.snapshots).toHaveLength(1);
});

test('a second stream of a host replaces the first', () => {
  put(web(0, one));
  const first = client(one);
  const again = client(one);
  expect(first.cut).toBe(true);
  again.catchUp();
  expect(hub.isConnected(one.id)).toBe(true);
  expect(converged).toEqual(['/web#0@1']);
});

test('heartbeats come on every stream', () => {
  put(web(0, one));
  const first = client(one);
  first.read();
  clock.advance(5_000);
  expect(first.unread).toEqual([{ kind: 'heartbeat' }]);
});

test('the status tells version, lag and problem', () => {
  put(web(0, one));
  expect(hub.status(one.id)).toBeUndefined();
  const first = client(one);
  first.catchUp();
  put(web(1, two));
  put(web(2, two));
  expect(hub.status(one.id)).toEqual({ connected: true, applied: '3.1', lag: 2, problem: undefined });
  hub.reportProblem(one.id, 'no Open vSwitch');
  first.catchUp();
  expect(hub.status(one.id)).toEqual({
    connected: true,
    applied: '3.3',
    lag: 0,
    problem: 'no Open vSwitch',
  });
  expect(hub.status(agentId('h9'))).toBeUndefined();
});

test('a host that is forgotten has no stream, and what it had to acknowledge is not waited for', () => {
  put(web(0, one), web(1, two));
  const [first, second] = [client(one), client(two)];
  for (const each of [first, second]) each.catchUp();
  hub.setEndpoints(web(1, two).slot, []);
  put(web(0, one, { epoch: 2 }));
  hub.forgetHost(two.id);
  expect(second.cut).toBe(true);
  expect(hub.status(two.id)).toBeUndefined();
  first.catchUp();
  expect(converged).toContain('/web#0@2');
  put(web(1, two));
  first.read();
  expect(first.view?.hosts).toEqual([one]);
  hub.setHost(two);
  clock.advance(10);
  first.read();
  expect(first.view?.hosts).toEqual([one, two]);
});

test('closing ends the streams and leaves no timer', () => {
  put(web(0, one));
  const first = client(one);
  hub.close();
  expect(first.cut).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});
