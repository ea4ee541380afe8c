import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { StateFiles } from '../../executor/adapters/views/state-files.ts';
import { ViewClient, type ViewClientOptions } from '../../executor/adapters/views/view-client.ts';
import type { LeaderKnowledge } from '../../executor/core/fabric/leader.ts';
import { ViewFeed } from '../../executor/fabric/view-feed.ts';
import type { View } from '../../src/fabric/view.ts';
import type { HostFacts } from '../../src/model/host.ts';
import { agentId, executorId } from '../../src/model/ids.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { FakeScheduler } from '../support/fake-scheduler.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';
import { Inbox } from '../support/inbox.ts';

const silent = createLogger('test', 'silent');
const net = network('default', 7, '10.32.0.0/16');
const one = host('one', '192.0.2.1');
const web = (index: number) =>
  endpoint({ app: '/web', index, network: net, host: one, ip: `10.32.0.${index + 5}` });
const viewOf = (slots: number, n: number, term = 1): View => ({
  ...view(
    [one],
    [net],
    Array.from({ length: slots }, (_, index) => web(index)),
    n,
  ),
  version: { term, n },
});

const facts: HostFacts = {
  agentId: agentId('agent'),
  executorId: executorId('executor'),
  hostname: 'one',
  underlayIp: '192.0.2.1',
  underlayMtu: 1500,
  datapath: 'netdev',
  ovsVersion: '3.1.0',
  dockerVersion: '20.10',
};

let schedulers: FakeScheduler[];
let clients: ViewClient[];
beforeEach(() => {
  schedulers = [];
  clients = [];
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  await Promise.all(schedulers.map((scheduler) => scheduler.close()));
});

test('facts come first, then the view is followed and what is in force is acknowledged', async () => {
  const { scheduler, url } = await newScheduler();
  const { client, views } = newClient({ leader: { elected: { url, term: 1 } } });
  client.start();
  await scheduler.openedTimes(1);
  expect(scheduler.reports[0]?.facts).toMatchObject({
    agentId: 'agent',
    underlayIp: '192.0.2.1',
    datapath: 'netdev',
  });
  expect(scheduler.opened).toEqual(['']);
  scheduler.setView(viewOf(1, 1));
  expect((await views.next()).endpoints).toHaveLength(1);
  scheduler.setView(viewOf(3, 2));
  expect((await views.next()).endpoints).toHaveLength(3);
  client.report({ term: 1, n: 2 }, undefined);
  await scheduler.reported(({ applied }) => applied?.n === 2);
});

test('a client that knows a view resumes from it, and says at once what is in force', async () => {
  const { scheduler, url } = await newScheduler();
  scheduler.setView(viewOf(1, 4));
  const { client } = newClient({ leader: { hint: url }, lastView: viewOf(1, 4) });
  client.report({ term: 1, n: 4 }, undefined);
  client.start();
  await scheduler.openedTimes(1);
  expect(scheduler.opened).toEqual(['?term=1&n=4']);
  expect(scheduler.reports[0]).toMatchObject({ facts: expect.anything(), applied: { term: 1, n: 4 } });
});

test('an old version that is told to be in force late does not take the place of a newer one', async () => {
  const { scheduler, url } = await newScheduler();
  const directory = await mkdtemp(join(tmpdir(), 'pp-feed-'));
  const feed = newFeed(directory, url);
  try {
    await feed.start(facts, undefined);
    await scheduler.openedTimes(1);
    feed.applied({ term: 1, n: 5 });
    feed.applied({ term: 1, n: 4 });
    await scheduler.reported(({ applied }) => applied !== undefined);
    feed.applied({ term: 2, n: 1 });
    await scheduler.reported(({ applied }) => applied?.term === 2);
    expect(scheduler.reports.flatMap(({ applied }) => applied ?? [])).toEqual([
      { term: 1, n: 5 },
      { term: 2, n: 1 },
    ]);
  } finally {
    await feed.stop();
    await rm(directory, { recursive: true });
  }
});

test('a stream that ends is opened again from the version that the client has', async () => {
  const { scheduler, url } = await newScheduler();
  const { client, views } = newClient({ leader: { hint: url } });
  client.start();
  await scheduler.openedTimes(1);
  scheduler.setView(viewOf(1, 7));
  await views.next();
  scheduler.dropStreams();
  await scheduler.openedTimes(2);
  expect(scheduler.opened[1]).toBe('?term=1&n=7');
});

test('a bad view is reported and not passed on, and the change that mends it is', async () => {
  const { scheduler, url } = await newScheduler();
  const { client, views, refused } = newClient({ leader: { hint: url } });
  client.start();
  await scheduler.openedTimes(1);
  const bad = { ...viewOf(2, 1), endpoints: [web(0), { ...web(1), ip: web(0).ip }] };
  scheduler.setView(bad);
  expect(await refused.next()).toMatch(/view 1\.1 is refused/);
  client.report(undefined, 'view 1.1 is refused');
  await scheduler.reported(({ problem }) => problem === 'view 1.1 is refused');
  scheduler.setView(viewOf(2, 2));
  expect((await views.next()).version).toEqual({ term: 1, n: 2 });
  expect(scheduler.opened).toHaveLength(1);
});

test('a leader of a newer term is followed at once, one of an older term never', async () => {
  const [old, fresh] = [await newScheduler(), await newScheduler()];
  const { client, leaders } = newClient({ leader: { elected: { url: old.url, term: 3 } } });
  client.start();
  await old.scheduler.openedTimes(1);
  client.setLeader(fresh.url, 2);
  client.setLeader(fresh.url, 4);
  await fresh.scheduler.openedTimes(1);
  client.setLeader(old.url, 3);
  expect(client.url).toBe(fresh.url);
  expect(leaders.at(-1)).toMatchObject({ elected: { url: fresh.url, term: 4 } });
  expect(old.scheduler.opened).toHaveLength(1);
});

test('a scheduler whose views are of an earlier term is left, and the view in force stays', async () => {
  const { scheduler, url } = await newScheduler();
  scheduler.setView(viewOf(1, 9, 2));
  const { client, views } = newClient({ leader: { hint: url }, lastView: viewOf(2, 1, 5) });
  client.start();
  await scheduler.openedTimes(2);
  expect(views.waiting).toEqual([]);
});

test('an address that came without a term is used when the known leader does not answer', async () => {
  const { scheduler, url } = await newScheduler();
  const { client, views, leaders } = newClient({
    leader: { elected: { url: 'http://127.0.0.1:9', term: 1 } },
  });
  client.start();
  client.setLeader(url);
  await scheduler.openedTimes(1);
  scheduler.setView(viewOf(1, 1, 2));
  await views.next();
  expect(leaders.at(-1)).toMatchObject({ elected: { url, term: 2 } });
});

test('a scheduler that does not lead names the one that does', async () => {
  const [standby, leader] = [await newScheduler(), await newScheduler()];
  standby.scheduler.answerWith = { status: 307, location: `${leader.url}/v1/hosts/agent/report` };
  const { client } = newClient({ leader: { hint: standby.url } });
  client.start();
  await leader.scheduler.openedTimes(1);
});

test('a stream that is silent for 20 s is given up and opened again', async () => {
  const { scheduler, url } = await newScheduler();
  const silences: (() => void)[] = [];
  const clock: Clock = {
    now: () => systemClock.now(),
    after: (delayMs, action) => {
      if (delayMs !== 20_000) return systemClock.after(delayMs, action);
      silences.push(action);
      return () => {
        silences.splice(silences.indexOf(action), 1);
      };
    },
  };
  const { client } = newClient({ clock, leader: { hint: url } });
  client.start();
  await scheduler.openedTimes(1);
  while (silences.length === 0) await new Promise((resolve) => setImmediate(resolve));
  silences[0]!();
  await scheduler.openedTimes(2);
});

test('a client without any address waits for one', async () => {
  const { scheduler, url } = await newScheduler();
  const { client } = newClient({});
  client.start();
  expect(client.url).toBeUndefined();
  client.setLeader(url, 1);
  await scheduler.openedTimes(1);
});

test('a fixed address overrides everything that is announced', async () => {
  const [fixed, announced] = [await newScheduler(), await newScheduler()];
  const { client } = newClient({
    fixedUrl: `${fixed.url}/`,
    leader: { elected: { url: announced.url, term: 9 } },
  });
  client.start();
  await fixed.scheduler.openedTimes(1);
  client.setLeader(announced.url, 10);
  expect(client.url).toBe(fixed.url);
});

test('view and leader survive on disk, but not for another framework, and broken files count as missing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pp-switch-state-'));
  try {
    const files = new StateFiles(directory, 'framework/agent', silent);
    expect(await files.loadView()).toBeUndefined();
    expect(await files.loadLeader()).toEqual({});
    const leader: LeaderKnowledge = { elected: { url: 'http://a', term: 3 } };
    await Promise.all([files.saveView(viewOf(1, 1)), files.saveView(viewOf(2, 2)), files.saveLeader(leader)]);
    expect(await files.loadView()).toEqual(viewOf(2, 2));
    expect(await files.loadLeader()).toEqual(leader);
    expect(await new StateFiles(directory, 'other/agent', silent).loadView()).toBeUndefined();
    const text = await readFile(join(directory, 'view.json'), 'utf8');
    await writeFile(join(directory, 'view.json'), text.slice(0, 50));
    expect(await files.loadView()).toBeUndefined();
  } finally {
    await rm(directory, { recursive: true });
  }
});

async function newScheduler() {
  const scheduler = new FakeScheduler();
  schedulers.push(scheduler);
  return { scheduler, url: await scheduler.listen() };
}

/** The feed of a switch, whose views nobody puts in force. */
function newFeed(stateDir: string, schedulerUrl: string): ViewFeed {
  const ignore = () => {};
  return new ViewFeed({
    config: {
      ...facts,
      runId: 'run',
      hostKey: 'one',
      ovsRunDir: stateDir,
      stateDir,
      bridge: 'br-test',
      datapath: 'netdev',
      schedulerUrl,
    },
    around: {
      clock: systemClock,
      log: silent,
      random: () => 0,
      onPortLost: ignore,
      onInheritedLost: ignore,
    },
    onView: ignore,
    onConverged: ignore,
    onQuestion: ({ id }) => Promise.resolve({ id, kind: 'problem', problem: 'nobody is asked here' }),
  });
}

function newClient(overrides: Partial<ViewClientOptions>) {
  const views = new Inbox<View>();
  const refused = new Inbox<string>();
  const leaders: LeaderKnowledge[] = [];
  const client = new ViewClient({
    facts,
    clock: systemClock,
    random: () => 0,
    log: silent,
    leader: {},
    fixedUrl: undefined,
    access: () => undefined,
    lastView: undefined,
    onView: views.put,
    onConverged: () => {},
    onQuestion: ({ id }) => Promise.resolve({ id, kind: 'problem', problem: 'nobody is asked here' }),
    onRefused: (problem) => {
      if (problem !== undefined) refused.put(problem);
    },
    onLeader: (leader) => void leaders.push(leader),
    ...overrides,
  });
  clients.push(client);
  return { client, views, refused, leaders };
}
