import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import type { PathReport } from '../../scheduler/driver/paths/path-report.ts';
import type { Entrance, PathFrame, SwitchPort } from '../../src/fabric/path/question.ts';
import { slotIdFromText, type AgentId } from '../../src/model/ids.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { ApiHarness, webApp } from '../support/api.ts';

const traces = path.resolve(import.meta.dirname, '../data/traces');
/** A recorded trace, as if the hosts' addresses were those of the harness. */
const recorded = (name: string) =>
  readFileSync(path.join(traces, `${name}.txt`), 'utf8').replaceAll('198.19.250.1', '192.0.2.');

let api: ApiHarness;
let asked: { host: AgentId; frame: PathFrame; entrance: Entrance }[];
/** Names of traces, in the order in which hosts are asked. */
let answers: (string | Error)[];

const slot = (index: number) => slotIdFromText(`/shop/web#${index}`);
const ports: readonly SwitchPort[] = [
  { number: 1, kind: 'tunnel' },
  { number: 16_384, kind: 'gateway', network: 'default' },
  { number: 32_768, kind: 'endpoint', endpoint: { slot: slot(1), epoch: 1 } },
  { number: 32_769, kind: 'endpoint', endpoint: { slot: slot(1), epoch: 1 } },
];

beforeEach(async () => {
  api = new ApiHarness();
  asked = [];
  answers = [];
  api.askHost = (host, frame, entrance) => {
    asked.push({ host, frame, entrance });
    const answer = answers.shift() ?? new Error('one question too many');
    return answer instanceof Error
      ? Promise.reject(answer)
      : Promise.resolve({ id: 1, kind: 'trace', trace: recorded(answer), ports });
  };
  await api.call('POST', '/v2/apps', { ...webApp, constraints: [['hostname', 'UNIQUE']] });
  api.runAll();
  for (const index of [0, 1, 2]) api.reportHost(index, { applied: '1.1', lag: 0 });
});

const find = (from: string, to: string, more = '') =>
  api.call<PathReport>(
    'GET',
    `/v1/path?from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}${more}`,
  );
const agentOf = (index: number) =>
  [...api.world.instances.values()].find(({ slotId }) => slotId === slot(index))!.agentId;
const ipOf = (index: number) => api.world.slots.get(slot(index))!.lease!.ip;

test('a path across hosts is followed through both switches', async () => {
  answers = ['arp', 'across-hosts', 'across-hosts-in'];
  const { status, body } = await find('/shop/web#0', '1.web.shop');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    from: { slot: slot(0), epoch: 1, state: 'active', network: 'default' },
    to: { slot: slot(1), ip: ipOf(1) },
    protocol: 'tcp',
    destinationPort: 80,
    verdict: 'delivered',
  });
  expect(body.hops.map(({ protocol, end }) => `${protocol} ${end.kind}`)).toEqual([
    'arp answered',
    'tcp tunnel',
    'tcp delivered',
  ]);
  expect(asked.map(({ host }) => host)[0]).toBe(agentOf(0));
  expect(asked[1]!.frame).toMatchObject({ source: ipOf(0), destination: ipOf(1), destinationPort: 80 });
  expect(asked[2]!.entrance).toMatchObject({ kind: 'tunnel', tunnelId: 7 });
});

test('a task, an address and a full name are ends, too; a port and a protocol can be chosen', async () => {
  const [task] = [...api.world.instances.values()].filter(({ slotId }) => slotId === slot(0));
  answers = ['arp', 'same-host'];
  const { body } = await find(task!.taskId, ipOf(1), '&protocol=udp&port=53');
  expect(body).toMatchObject({ verdict: 'delivered', protocol: 'udp', destinationPort: 53 });
  answers = ['arp', 'same-host'];
  expect((await find(ipOf(0), '1.web.shop.patchpanel.internal', '&protocol=icmp')).status).toBe(200);
  expect(asked.at(-1)!.frame.destinationPort).toBeUndefined();
});

test('an address that nobody has ends at ARP, one outside leaves by the gateway, one in another network is dropped', async () => {
  answers = ['arp-unknown'];
  expect((await find('/shop/web#0', '10.32.9.9')).body).toMatchObject({
    verdict: 'dropped',
    reason: 'unanswered-arp',
  });
  answers = ['nat-out'];
  expect((await find('/shop/web#0', '192.0.2.200')).body).toMatchObject({ verdict: 'left' });
  await api.call('PUT', '/v1/networks/blue', { vni: 8, cidr: '10.40.0.0/24' });
  for (const trace of ['nat-out', 'no-nat']) {
    answers = [trace];
    const { body } = await find('/shop/web#0', '10.40.0.9');
    expect(body.verdict).toBe('dropped');
    expect(body.summary).toContain('add "blue" to the routes of the network default');
  }
});

test('what a fenced copy sends is asked of the host that would get it, when its own does not answer', async () => {
  const fenced = agentOf(0);
  api.step({ kind: 'agent-lost', agentId: fenced });
  for (const { taskId, agentId } of api.world.instances.values()) {
    if (agentId === fenced) api.status(taskId, 'unreachable');
  }
  const [copy] = [...api.world.instances.values()].filter(({ agentId }) => agentId === fenced);
  answers = [new PatchpanelError('unavailable', 'not connected'), 'fenced'];
  const { body } = await find(copy!.taskId, '/shop/web#1');
  expect(body).toMatchObject({ verdict: 'dropped', reason: 'fenced', from: { state: 'fenced' } });
  expect(body.hops[0]?.remarks[0]).toContain('not connected');
});

test('a host that does not answer is a 504 that names it', async () => {
  answers = [new PatchpanelError('deadline', 'the executor on agent-0 did not answer')];
  const { status, body } = await find('/shop/web#0', '/shop/web#1');
  expect(status).toBe(504);
  expect(body).toEqual({ message: 'the executor on agent-0 did not answer' });
});

test.each([
  ['/nobody#0', '/shop/web#1', '', 404, /from: there is no .*nobody#0/],
  ['/shop/web#0', 'nobody', '', 404, /to: there is no .*nobody/],
  ['/shop/web', '/shop/web#1', '', 422, /name one of its slots, \/shop\/web#0 to \/shop\/web#1/],
  ['10.32.9.9', '/shop/web#1', '', 422, /a path begins at a slot/],
  ['/shop/web#0', '/shop/web#0', '', 422, /same instance/],
  ['/shop/web#0', '/shop/web#1', '&port=0', 422, /\/port/],
  ['/shop/web#0', '/shop/web#1', '&protocol=icmp&port=1', 422, /icmp has no ports/],
  ['/shop/web#0', '/shop/web#1', '&protocol=sctp', 422, /\/protocol/],
])('%s to %s%s is refused', async (from, to, more, status, words) => {
  const answer = await find(from, to, more);
  expect(answer.status).toBe(status);
  expect(JSON.stringify(answer.body)).toMatch(words);
  expect(asked).toEqual([]);
});
