import { expect, test } from '@jest/globals';
import { collectGarbage } from '../../executor/core/fabric/garbage.ts';
import { leaderCandidates, learnLeader, parseLeader } from '../../executor/core/fabric/leader.ts';
import { hostLinkLines, sandboxLinkLines, type LinkWish } from '../../executor/core/fabric/link.ts';
import { nextPortNumber, portNumberOf, serialOfVeth } from '../../executor/core/fabric/numbers.ts';
import { portLoss } from '../../executor/core/fabric/port-loss.ts';
import {
  followView,
  haveVersion,
  restartStream,
  type FollowedView,
} from '../../executor/core/fabric/view-follower.ts';
import { diffViews } from '../../src/fabric/view-diff.ts';
import type { View } from '../../src/fabric/view.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';

test('a serial gives a port from 32768 on and a name that leads back to it', () => {
  expect(portNumberOf(0)).toEqual({ serial: 0, ofport: 32_768, veth: 'pp0h' });
  expect(portNumberOf(32_512)).toEqual({ serial: 32_512, ofport: 32_768, veth: 'ppp34h' });
  expect(serialOfVeth('ppp34h')).toBe(32_512);
  expect(portNumberOf(36 ** 6).veth.length).toBeLessThanOrEqual(15);
  expect(serialOfVeth('eth0')).toBeUndefined();
});

test('ports in use are passed over, and a ring that is full says so', () => {
  expect(nextPortNumber(5, new Set([32_773, 32_774]))?.serial).toBe(7);
  const all = new Set(Array.from({ length: 32_512 }, (_, index) => 32_768 + index));
  expect(nextPortNumber(5, all)).toBeUndefined();
});

test('what is unwanted once is suspected, twice in a row removed, and wanted meanwhile forgiven', () => {
  const first = collectGarbage(['a', 'b', 'c'], new Set(['c']), new Set());
  expect(first).toEqual({ remove: [], suspects: new Set(['a', 'b']) });
  const second = collectGarbage(['a', 'b', 'd'], new Set(['b']), first.suspects);
  expect(second).toEqual({ remove: ['a'], suspects: new Set(['d']) });
});

test('the leader with the highest term is tried first, an address without a term second', () => {
  const known = learnLeader(learnLeader({}, 'http://old/', undefined), 'http://a:1', 4);
  expect(leaderCandidates(known)).toEqual(['http://a:1', 'http://old']);
  expect(learnLeader(known, 'http://b:1', 3)).toBe(known);
  expect(leaderCandidates(learnLeader(known, 'http://b:1', 5))).toEqual(['http://b:1', 'http://old']);
  expect(leaderCandidates(learnLeader(known, 'http://old', 5))).toEqual(['http://old']);
  expect(learnLeader(known, 'http://a:1', undefined)).toBe(known);
});

test('what is kept of the leader is read back, and nonsense gives nothing', () => {
  const known = learnLeader(learnLeader({}, 'http://hint', undefined), 'http://a:1', 4);
  expect(parseLeader(JSON.parse(JSON.stringify(known)))).toEqual(known);
  expect(parseLeader({ elected: { url: 3 } })).toEqual({});
  expect(parseLeader('x')).toBeUndefined();
});

test.each([
  [{ actualOfport: -1, error: 'no such device', ifindex: undefined }, /no such device/],
  [{ actualOfport: -1, error: undefined, ifindex: undefined }, /cannot open/],
  [{ actualOfport: 32_768, error: undefined, ifindex: 0 }, /veth is gone/],
])('port %j is lost, with the reason', (port, reason) => {
  expect(portLoss(port)).toMatch(reason);
});

test('a port that works, or that Open vSwitch is about to open, is not lost', () => {
  expect(portLoss({ actualOfport: 32_768, error: undefined, ifindex: 7 })).toBeUndefined();
  expect(portLoss({ actualOfport: undefined, error: undefined, ifindex: undefined })).toBeUndefined();
});

test('the inner end of a veth pair is made inside the sandbox, the gateway is known for good', () => {
  const wish: LinkWish = {
    owner: 'key',
    veth: 'pp1h',
    sandboxPid: 42,
    mac: '0a:07:0a:20:00:05',
    mtu: 1450,
    ip: '10.32.0.5',
    prefixLength: 16,
    gateway: '10.32.0.1',
    gatewayMac: '0a:07:0a:20:00:01',
  };
  expect(hostLinkLines(wish)[0]).toMatch(/peer name eth0 address 0a:07:0a:20:00:05 mtu 1450 netns 42$/);
  expect(hostLinkLines(wish)[1]).toContain('alias key addrgenmode none');
  // With so small an MTU a device has no IPv6 to be told of.
  expect(hostLinkLines({ ...wish, mtu: 1_279 })[1]).not.toContain('addrgenmode');
  expect(sandboxLinkLines(wish)).toContain(
    'neighbour replace 10.32.0.1 lladdr 0a:07:0a:20:00:01 dev eth0 nud permanent',
  );
  expect(sandboxLinkLines({ ...wish, gatewayMac: undefined }).join()).not.toContain('neighbour');
});

const net = network('default', 7, '10.32.0.0/16');
const [one, two] = [host('one', '192.0.2.1'), host('two', '192.0.2.2')];
const web = (index: number, on = one) =>
  endpoint({ app: '/web', index, network: net, host: on, ip: `10.32.0.${index + 5}` });
const good = view([one, two], [net], [web(0)], 1);
const better = view([one, two], [net], [web(0), web(1, two)], 2);
/** Two slots with one address. */
const bad = view([one, two], [net], [web(0), { ...web(1), ip: web(0).ip }], 2);
const deltaTo = (from: View, to: View) => ({ kind: 'delta', delta: diffViews(from, to)! }) as const;
const nothing: FollowedView = { good: undefined, received: undefined };

test('a snapshot and then a change give the views', () => {
  const [first, step] = followView(nothing, { kind: 'snapshot', view: good });
  expect(step).toEqual({ kind: 'view', view: good });
  const [second, next] = followView(first, deltaTo(good, better));
  expect(next).toEqual({ kind: 'view', view: better });
  expect(haveVersion(second)).toEqual({ term: 1, n: 2 });
});

test('a bad view is refused as a whole; the change that mends it is taken', () => {
  const start: FollowedView = { good, received: good };
  const [refused, step] = followView(start, deltaTo(good, bad));
  expect(step).toMatchObject({ kind: 'refused', problem: expect.stringContaining('1.2') });
  expect(refused.good).toBe(good);
  const mended = { ...better, version: { term: 1, n: 3 } };
  const [after, next] = followView(refused, deltaTo(bad, mended));
  expect(next).toMatchObject({ kind: 'view', view: { version: { n: 3 } } });
  expect(after.good?.endpoints).toHaveLength(2);
  expect(restartStream(refused).received).toBe(good);
});

test('a view of an earlier term is not taken, the stream belongs to a leader that was', () => {
  const newer: View = { ...good, version: { term: 3, n: 1 } };
  const [after, step] = followView({ good: newer, received: newer }, { kind: 'snapshot', view: good });
  expect(step).toMatchObject({ kind: 'broken', otherLeader: true });
  expect(after.good).toBe(newer);
});

test('a change that does not begin where we are breaks the stream', () => {
  expect(followView(nothing, deltaTo(good, better))[1]).toMatchObject({ kind: 'broken', otherLeader: false });
  const start: FollowedView = { good: better, received: better };
  expect(followView(start, deltaTo(good, better))[1]).toMatchObject({ kind: 'broken' });
});

test('heartbeats change nothing', () => {
  expect(followView(nothing, { kind: 'heartbeat' })).toEqual([nothing, { kind: 'nothing' }]);
});
