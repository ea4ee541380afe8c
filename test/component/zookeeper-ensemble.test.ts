import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openZooKeeperStore } from '../../scheduler/store/zookeeper/zookeeper-store.ts';
import { startDevMesos, type DevMesos } from '../../src/devcluster/mesos/dev-mesos.ts';
import type { ZooKeeperServer } from '../../src/devcluster/zookeeper.ts';
import { openAcl } from '../../src/zookeeper/messages.ts';
import { ZooKeeperSession } from '../../src/zookeeper/session.ts';
import { freePort } from '../../src/devcluster/addresses.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { schedulerProgram, SchedulerProcess } from '../support/scheduler-process.ts';
import { eventually, SimulatedApps } from '../support/simulated-apps.ts';
import { contents, put } from '../support/store-contract.ts';
import { ZooKeeperEnsemble } from '../support/zookeeper-ensemble.ts';

const sessionMs = 6_000;

let ensemble: ZooKeeperEnsemble;

beforeAll(async () => {
  ensemble = await ZooKeeperEnsemble.start();
});
afterEach(() => ensemble.heal());
afterAll(() => ensemble?.stop());

describe('a store in an ensemble', () => {
  let session: ZooKeeperSession;
  let trees = 0;

  afterEach(() => session.close());

  /** Commits while the server that the session is connected to is hurt, and what the session was after it. */
  async function commitsWhile(server: ZooKeeperServer, hurt: () => unknown): Promise<void> {
    const first = ensemble.servers.indexOf(server);
    const servers = ensemble.servers.map(({ address }) => {
      const [host = '', port] = address.split(':');
      return { host, port: Number(port) };
    });
    session = new ZooKeeperSession({
      servers,
      timeoutMs: sessionMs,
      log: recordingLogger(),
      // The first server that it tries, and the next ones in turn.
      random: () => first / servers.length,
    });
    await session.connected();
    const { id } = session;
    trees += 1;
    const store = await openZooKeeperStore({ session, root: `/ensemble-${trees}`, acl: openAcl });
    const commit = (n: number) => store.commit([put(`/n${n}`, n), put('/newest', n)]);
    for (let n = 0; n < 20; n += 1) await commit(n);
    await hurt();
    await Promise.all(Array.from({ length: 20 }, (_, n) => commit(20 + n)));
    expect(session.id).toBe(id);
    expect(Object.keys(await contents(store))).toHaveLength(41);
    expect((await contents(store))['app//newest']).toBe(39);
  }

  test('goes on in the same session when the server that it uses dies', async () => {
    const server = await ensemble.one('follower');
    await commitsWhile(server, () => server.kill());
  });

  test('goes on in the same session when that server led the others, which have to elect another', async () => {
    const server = await ensemble.one('leader');
    await commitsWhile(server, () => server.kill());
  });

  test('goes on in the same session when the server that it uses hangs', async () => {
    const server = await ensemble.one('follower');
    await commitsWhile(server, () => server.pause());
  });
});

describe('schedulers on an ensemble', () => {
  let program: string;
  let directory: string;
  let mesos: DevMesos;
  const schedulers: SchedulerProcess[] = [];

  beforeAll(async () => {
    program = await schedulerProgram();
    directory = await mkdtemp(join(tmpdir(), 'pp-ensemble-'));
    mesos = await startDevMesos({ log: recordingLogger(), timings: { allocationIntervalMs: 50 } });
  });

  afterAll(async () => {
    await Promise.all(schedulers.map((each) => each.end('SIGKILL')));
    await mesos?.close();
    await rm(directory, { recursive: true, force: true });
    await rm(program, { force: true });
  });

  async function start(): Promise<SchedulerProcess> {
    const zk = `zk://${ensemble.addresses}/schedulers`;
    const scheduler = await SchedulerProcess.start({
      program,
      directory,
      port: await freePort(),
      masters: mesos.urls,
      args: ['--zk', zk, '--zk-session-timeout', String(sessionMs / 1000)],
    });
    schedulers.push(scheduler);
    return scheduler;
  }

  test('the leader leads on while servers die one after the other, stands still without a majority, and goes on', async () => {
    const apps = new SimulatedApps(mesos);
    await apps.addAgents(directory);
    const leader = await start();
    await leader.logged('subscribed to Mesos');
    const standby = await start();
    await standby.logged('another scheduler leads');
    await leader.api.post('/v2/apps', apps.app('/web', 3));
    await apps.settled(leader, '/web', 3);
    const before = apps.running();
    const scaled = (instances: number): Promise<void> =>
      eventually(
        `a change to ${instances} to be taken`,
        async () => (await standby.api.patch('/v2/apps//web', { instances })).status === 200,
      );
    for (const [n, server] of ensemble.servers.entries()) {
      await server.kill();
      await scaled(4 + n);
      await server.restart();
    }
    const [one, other] = ensemble.servers;
    await Promise.all([one?.kill(), other?.kill()]);
    await eventually('reads to be marked stale', async () => {
      const { headers } = await leader.api.get('/v2/apps');
      return headers['x-patchpanel-stale'] === 'true';
    });
    expect((await leader.api.patch('/v2/apps//web', { instances: 1 })).status).toBe(503);
    await ensemble.heal();
    await scaled(7);
    await apps.settled(leader, '/web', 7);
    expect(apps.running()).toEqual(expect.arrayContaining(before));
  });
});
