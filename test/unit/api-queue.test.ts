import { beforeEach, expect, test } from '@jest/globals';
import { parseLabelSelector } from '../../scheduler/api/v2/label-selector.ts';
import { ApiHarness, webApp } from '../support/api.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

interface Queue {
  queue: {
    app: { id: string };
    count: number;
    processedOffersSummary: Record<string, { reason: string; declined: number; processed: number }[]>;
    lastUnusedOffers?: { reason: string[]; offer: { hostname: string; resources: object[] } }[];
  }[];
}

test('what cannot be placed is in the queue with the reasons of each offer, as a funnel', async () => {
  const only = { ...webApp, constraints: [['hostname', 'LIKE', 'host-[01]']] };
  await api.call('POST', '/v2/apps', { ...only, cpus: 1000 });
  api.offer(3);
  api.offer(3);
  const { body } = await api.call<Queue>('GET', '/v2/queue?embed=lastUnusedOffers');
  const [item] = body.queue;
  expect(item).toMatchObject({ app: { id: '/shop/web' }, count: 2, delay: { overdue: true }, role: '*' });
  const rows = (name: string) => item?.processedOffersSummary[name]?.filter(({ declined }) => declined > 0);
  expect(rows('rejectSummaryLastOffers')).toEqual([
    { reason: 'UnfulfilledConstraint', processed: 3, declined: 1 },
    { reason: 'InsufficientCpus', processed: 2, declined: 2 },
  ]);
  expect(rows('rejectSummaryLaunchAttempt')).toEqual([
    { reason: 'UnfulfilledConstraint', processed: 6, declined: 2 },
    { reason: 'InsufficientCpus', processed: 4, declined: 4 },
  ]);
  expect(item?.lastUnusedOffers?.map(({ offer, reason }) => [offer.hostname, reason]).sort()).toEqual([
    ['host-0', ['InsufficientCpus']],
    ['host-1', ['InsufficientCpus']],
    ['host-2', ['UnfulfilledConstraint']],
  ]);
  expect(item?.lastUnusedOffers?.[0]?.offer.resources).toContainEqual({ name: 'cpus', role: '*', scalar: 8 });
});

test('what runs is not in the queue, and offers are shown only when asked for', async () => {
  await api.call('POST', '/v2/apps', webApp);
  await api.call('POST', '/v2/apps', { ...webApp, id: '/big', cpus: 1000 });
  api.runAll();
  const { body } = await api.call<Queue>('GET', '/v2/queue');
  expect(body.queue.map(({ app }) => app.id)).toEqual(['/big']);
  expect(body.queue[0]).not.toHaveProperty('lastUnusedOffers');
});

test('the time of the last offer that was used is told while more are to be launched', async () => {
  await api.call('POST', '/v2/apps', { ...webApp, instances: 3, constraints: [['hostname', 'UNIQUE']] });
  const summary = async () =>
    (await api.call<Queue>('GET', '/v2/queue')).body.queue[0]?.processedOffersSummary;
  const iso = () => new Date(api.now).toISOString();
  expect(await summary()).not.toHaveProperty('lastUsedOfferAt');
  api.offer(1);
  const first = iso();
  expect(await summary()).toMatchObject({ lastUsedOfferAt: first });
  api.now += 1000;
  api.offer(1);
  expect(iso()).not.toBe(first);
  expect(await summary()).toMatchObject({ lastUsedOfferAt: first, lastUnusedOfferAt: iso() });
  api.offer(3);
  expect(await summary()).toBeUndefined();
  expect(api.world.unplaced.size).toBe(0);
});

test('the delay after failures is told and taken away', async () => {
  await api.call('POST', '/v2/apps', { ...webApp, instances: 1, backoffSeconds: 60 });
  const [task] = api.offer();
  if (task === undefined) throw new Error('nothing was launched');
  api.status(task, 'failed');
  const delay = async () => (await api.call<Queue>('GET', '/v2/queue')).body.queue[0];
  expect(await delay()).toMatchObject({ delay: { overdue: false } });
  expect((await api.call('DELETE', '/v2/queue/shop/web/delay')).status).toBe(204);
  expect(await delay()).toMatchObject({ delay: { overdue: true, timeLeftSeconds: 0 } });
  expect((await api.call('DELETE', '/v2/queue/none/delay')).body).toEqual({
    message: 'Application /none not found in tasks queue.',
  });
});

test.each([
  ['a', { a: '' }, true],
  ['a', { b: '' }, false],
  ['a==b', { a: 'b' }, true],
  ['a == b , c', { a: 'b', c: '1' }, true],
  ['a==b,c', { a: 'b' }, false],
  ['a!=b', { a: 'c' }, true],
  ['a!=b', {}, false],
  ['a in (b, c)', { a: 'c' }, true],
  ['a in(b)', { a: 'c' }, false],
  ['a notin (b,c)', { a: 'd' }, true],
  ['a notin (b,c)', {}, false],
  [String.raw`a\/b==x\,y\ z`, { 'a/b': 'x,y z' }, true],
  [String.raw`in\(x\) in (a\)b)`, { 'in(x)': 'a)b' }, true],
  ['in', { in: '' }, true],
  ['notin==in', { notin: 'in' }, true],
  ['toString', {}, false],
])('the selector %s on %j: %s', (selector, labels, matches) => {
  expect(parseLabelSelector(selector)(labels)).toBe(matches);
});

test.each(['', 'a==', '==b', 'a,', 'a in ()', 'a in (b', 'a b', 'a/b', 'a==b c'])(
  'the selector %j is refused, and the answer tells where',
  async (selector) => {
    const { status, body } = await api.call('GET', `/v2/apps?label=${encodeURIComponent(selector)}`);
    expect(status).toBe(422);
    expect(body['message']).toMatch(/^Can not parse label selector '.*': expected .* at character \d+$/);
  },
);
