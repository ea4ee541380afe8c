import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import axios from 'axios';
import { startDevMesos, type DevMesos } from '../../src/devcluster/mesos/dev-mesos.ts';
import { freePort } from '../../src/devcluster/addresses.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { schedulerProgram, SchedulerProcess } from '../support/scheduler-process.ts';
import { eventually, SimulatedApps } from '../support/simulated-apps.ts';
import { ZooKeeperBench } from '../support/zookeeper.ts';

/** After which a leader that is not heard of is replaced. */
const sessionSeconds = 3;

const hasty = ['--min-revive-interval', '0.2', '--kill-retry', '1', '--flip-deadline', '0.2'];

let program: string;
let zk: ZooKeeperBench;
let directory: string;
let tree: string;
let mesos: DevMesos;
let apps: SimulatedApps;
const schedulers: SchedulerProcess[] = [];

beforeAll(async () => {
  program = await schedulerProgram();
  zk = await ZooKeeperBench.start();
});

afterAll(async () => {
  await zk?.stop();
  await rm(program, { force: true });
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pp-ha-'));
  tree = zk.newTree();
  mesos = await startDevMesos({
    log: recordingLogger(),
    ports: [0, 0],
    zookeeper: `zk://${zk.server.address}${tree}/mesos`,
    timings: { allocationIntervalMs: 50, updateRetryMs: 500, updateRetryMaxMs: 1_000 },
  });
  apps = new SimulatedApps(mesos);
  await apps.addAgents(directory);
});

afterEach(async () => {
  zk.server.resume();
  await Promise.all(schedulers.splice(0).map((each) => each.end('SIGKILL')));
  await mesos.close();
  await rm(directory, { recursive: true, force: true });
});

async function startScheduler(
  session = sessionSeconds,
  args: readonly string[] = [],
): Promise<SchedulerProcess> {
  const zkUrl = `zk://ann:secret@${zk.server.address}${tree}`;
  const started = await SchedulerProcess.start({
    program,
    directory,
    port: await freePort(),
    masters: [`zk://${zk.server.address}${tree}/mesos`],
    args: ['--zk', zkUrl, '--zk-session-timeout', String(session), ...hasty, ...args],
  });
  schedulers.push(started);
  return started;
}

/** A leader and a standby that knows it. */
async function leaderAndStandby(
  session?: number,
  args?: readonly string[],
): Promise<readonly [SchedulerProcess, SchedulerProcess]> {
  const leader = await startScheduler(session, args);
  await leader.logged('subscribed to Mesos');
  const standby = await startScheduler(session, args);
  await standby.logged('another scheduler leads');
  return [leader, standby];
}

const leads = (scheduler: SchedulerProcess): Promise<unknown> => scheduler.logged('subscribed to Mesos');

test('a standby forwards changes to the leader, says who leads, answers pings itself and sends streams on', async () => {
  const [leader, standby] = await leaderAndStandby();
  const leaderId = new URL(leader.url).host;
  expect((await standby.api.get('/ping')).data).toBe('pong');
  expect((await standby.api.get('/v2/leader')).data).toEqual({ leader: leaderId });
  const made = await standby.api.post('/v2/apps', apps.app('/web', 3));
  expect(made.status).toBe(201);
  expect(made.headers['x-marathon-leader']).toBe(leader.url);
  expect(made.headers['x-marathon-via']).toContain(new URL(standby.url).host);
  await apps.settled(leader, '/web', 3);
  const read = await standby.api.get('/v2/apps//web');
  expect(read.data).toMatchObject({ app: { id: '/web', instances: 3 } });
  const refused = await standby.api.post('/v2/apps', '{"id": ');
  expect(refused.status).toBe(400);
  const looped = await standby.api.get('/v2/apps', {
    headers: { 'X-Marathon-Via': `1.1 other:1, 1.1 ${new URL(standby.url).host}` },
  });
  expect([looped.status, looped.data]).toEqual([502, { message: 'Detected proxying loop.' }]);
  const stream = await standby.api.get('/v2/events', {
    headers: { Accept: 'text/event-stream' },
    maxRedirects: 0,
  });
  expect([stream.status, stream.headers.location]).toEqual([302, `${leader.url}/v2/events`]);
  const view = await standby.api.get('/v1/hosts/a-1/view', { maxRedirects: 0 });
  expect([view.status, view.headers.location]).toEqual([307, `${leader.url}/v1/hosts/a-1/view`]);
  const bundle = await standby.api.get('/executor/patchpanel-executor-0123456789ab.tar.gz');
  expect(bundle.data).toBe('a tarball');
});

test('what a change of large apps leaves is stored, whatever its size; one that is too large changes nothing', async () => {
  // Megabytes take their time where others want the machine, too.
  const [leader, standby] = await leaderAndStandby(5);
  const large = (text: string) => ({ env: { TEXT: text } });
  const noise = () => randomBytes(480_000).toString('base64');
  for (const id of ['/big/a', '/big/b', '/big/c'])
    await leader.api.post('/v2/apps', { ...apps.app(id, 0), ...large(noise()) });
  const refused = await leader.api.post('/v2/apps', { ...apps.app('/big/d', 0), ...large('x'.repeat(2e6)) });
  expect([refused.status, refused.data]).toMatchObject([422, { details: [{ path: '/' }] }]);
  // Its deployment, and what is remembered of it, hold all three definitions: two megabytes that do not shrink.
  const changed = await leader.api.put('/v2/groups//big', {
    id: '/big',
    apps: ['a', 'b', 'c'].map((id) => ({ ...apps.app(id, 0), id, ...large('short') })),
  });
  expect(changed.status).toBe(200);
  await leader.end('SIGKILL');
  await leads(standby);
  const { data } = await standby.api.get<{ apps: { id: string; env: unknown }[] }>('/v2/groups//big');
  const shown = data.apps.map(({ id, env }) => ({ id, env })).toSorted((a, b) => a.id.localeCompare(b.id));
  expect(shown).toEqual(['/big/a', '/big/b', '/big/c'].map((id) => ({ id, ...large('short') })));
  const before = await standby.api.get('/v2/apps//big/a/versions');
  expect(before.data.versions).toHaveLength(2);
});

test('the leader writes down whose request a standby passed on, and believes nobody else about it', async () => {
  const audit = join(directory, 'audit.log');
  const [leader, standby] = await leaderAndStandby(sessionSeconds, ['--audit-file', audit]);
  const from = (localAddress: string, url: string, id: string) =>
    axios.put(`${url}/v2/apps/${id}`, apps.app(id, 0), {
      httpAgent: new Agent({ localAddress }),
      proxy: false,
      headers: { 'X-Forwarded-For': '192.0.2.1', 'X-Patchpanel-Client': '192.0.2.1 forged' },
    });
  await from('127.0.0.77', standby.url, '/passed-on');
  await from('127.0.0.78', leader.url, '/direct');
  const read = async (): Promise<readonly { from: string; url: string }[]> =>
    (await readFile(audit, 'utf8'))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { from: string; url: string });
  // Both write it: one as what it took, the other as what it passed on.
  await eventually('all changes to be written down', async () => (await read()).length === 3);
  const entries = await read();
  expect(entries.filter(({ url }) => url.includes('/direct'))).toMatchObject([{ from: '127.0.0.78' }]);
  const passed = entries.filter(({ url }) => url.includes('/passed-on'));
  expect(new Set(passed.map((entry) => entry.from))).toEqual(new Set(['127.0.0.77']));
});

test('kill -9 of the leader: the standby goes on with the tasks as they are and takes changes', async () => {
  const [leader, standby] = await leaderAndStandby();
  await leader.api.post('/v2/apps', apps.app('/web', 4));
  await apps.settled(leader, '/web', 4);
  const before = apps.running();
  await leader.end('SIGKILL');
  await leads(standby);
  await apps.settled(standby, '/web', 4);
  expect(apps.running()).toEqual(before);
  expect((await standby.api.put('/v2/apps//web', apps.app('/web', 6))).status).toBe(200);
  await apps.settled(standby, '/web', 6);
  expect(apps.running()).toEqual(expect.arrayContaining(before));
  expect(mesos.state().frameworks).toHaveLength(1);
});

test('a leader that was stopped and wakes up later writes nothing, steps down and stands by', async () => {
  const [zombie, standby] = await leaderAndStandby();
  await zombie.api.post('/v2/apps', apps.app('/web', 2));
  await apps.settled(zombie, '/web', 2);
  zombie.signal('SIGSTOP');
  // These reach the stopped one first of all when it wakes up.
  const late = Array.from({ length: 5 }, (_, n) =>
    axios
      .put(`${zombie.url}/v2/apps//late-${n}`, apps.app(`/late-${n}`, 1), {
        validateStatus: () => true,
        maxRedirects: 0,
      })
      .then(
        ({ status, headers }) => [status, headers['x-marathon-via']] as const,
        () => undefined,
      ),
  );
  await leads(standby);
  await standby.api.put('/v2/apps//web', apps.app('/web', 3));
  await apps.settled(standby, '/web', 3);
  zombie.signal('SIGCONT');
  const answers = await Promise.all(late);
  await eventually('the old leader stands by', async () => {
    const { data } = await zombie.api.get<{ leader: string }>('/v2/leader');
    return data.leader === new URL(standby.url).host;
  });
  // Whatever it answered with success it had passed on.
  for (const answer of answers) if (answer !== undefined && answer[0] < 300) expect(answer[1]).toBeDefined();
  expect((await zombie.api.get('/v2/apps//web')).data).toMatchObject({ app: { instances: 3 } });
  await apps.allSettled(standby);
});

test('while ZooKeeper is away nothing is decided and reads are marked; the same leader goes on afterwards', async () => {
  const [leader, standby] = await leaderAndStandby(10);
  await leader.api.post('/v2/apps', apps.app('/web', 3));
  await apps.settled(leader, '/web', 3);
  const before = apps.running();
  await zk.server.kill();
  await eventually('reads are marked', async () => {
    const { headers } = await leader.api.get('/v2/apps');
    return headers['x-patchpanel-stale'] === 'true';
  });
  const refused = await leader.api.put('/v2/apps//web', apps.app('/web', 5));
  expect([refused.status, refused.data]).toEqual([
    503,
    { message: expect.stringContaining('ZooKeeper cannot be reached') },
  ]);
  expect((await leader.api.get('/v2/apps//web')).data).toMatchObject({ app: { instances: 3 } });
  await zk.server.restart();
  await eventually('changes are taken', async () => {
    const { status } = await leader.api.put('/v2/apps//web', apps.app('/web', 5));
    return status === 200;
  });
  await apps.settled(leader, '/web', 5);
  expect(apps.running()).toEqual(expect.arrayContaining(before));
  expect((await standby.api.get('/v2/leader')).data).toEqual({ leader: new URL(leader.url).host });
});

test('who abdicates stands by, and the next one leads', async () => {
  const [leader, standby] = await leaderAndStandby();
  await leader.api.post('/v2/apps', apps.app('/web', 2));
  await apps.settled(leader, '/web', 2);
  const before = apps.running();
  expect((await standby.api.delete('/v2/leader')).data).toEqual({ message: 'Leadership abdicated' });
  await leads(standby);
  await eventually('the old leader stands by', async () => {
    const { status, data } = await leader.api.get('/v2/leader');
    return status === 200 && (data as { leader: string }).leader === new URL(standby.url).host;
  });
  await apps.settled(leader, '/web', 2);
  expect(apps.running()).toEqual(before);
});

test('a Mesos master that dies is replaced by the one that ZooKeeper names, and no task is restarted', async () => {
  const leader = await startScheduler();
  await leads(leader);
  await leader.api.post('/v2/apps', apps.app('/web', 3));
  await apps.settled(leader, '/web', 3);
  const before = apps.running();
  for (let round = 0; round < 3; round += 1) {
    await mesos.failover();
    await eventually('subscribed at the new master', async () =>
      mesos.state().frameworks.some(({ connected }) => connected),
    );
  }
  await leader.api.put('/v2/apps//web', apps.app('/web', 5));
  await apps.settled(leader, '/web', 5);
  expect(apps.running()).toEqual(expect.arrayContaining(before));
});

test('leaders that are killed at any moment of launching, scaling and redeploying lose and double nothing', async () => {
  let instances = 0;
  for (const [round, afterMs] of [10, 80, 300].entries()) {
    const leader = schedulers.at(-1) ?? (await startScheduler());
    await leads(leader);
    const next = await startScheduler();
    instances = 3 + ((round * 5) % 7);
    const definition = { ...apps.app('/web', instances), env: { ROUND: String(round) } };
    const put = leader.api.put('/v2/apps//web?force=true', definition).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await leader.end('SIGKILL');
    schedulers.splice(schedulers.indexOf(leader), 1);
    await put;
    await leads(next);
  }
  const last = schedulers.at(-1)!;
  const final = { ...apps.app('/web', instances), env: { ROUND: 'last' } };
  expect((await last.api.put('/v2/apps//web?force=true', final)).status).toBeLessThan(300);
  await apps.settled(last, '/web', instances);
  expect(mesos.state().frameworks).toHaveLength(1);
});
