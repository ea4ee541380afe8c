import { afterEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../proto/mesos.gen.ts';
import type { AgentOptions, DevMesosOptions, Timings } from '../../src/devcluster/mesos/options.ts';
import type { AgentId } from '../../src/model/ids.ts';
import { Replay } from '../support/emulator-replay.ts';
import { request, TestScheduler } from '../support/emulator-scheduler.ts';

let replay: Replay;

afterEach(() => replay.close());

async function start(
  timings: Partial<Timings> = {},
  options: Partial<DevMesosOptions> = {},
  agent: Partial<AgentOptions> = {},
): Promise<TestScheduler> {
  replay = await Replay.start('scheduler-json', timings, options, { executor: 'simulated', ...agent });
  await replay.scheduler.subscribe();
  return replay.scheduler;
}

const scalar = (name: string, value: number) => ({ name, type: 'SCALAR' as const, scalar: { value } });

function taskOn(agentId: AgentId | string, taskId: string): TaskInfo {
  return {
    name: taskId,
    task_id: { value: taskId },
    agent_id: { value: agentId },
    resources: [scalar('cpus', 0.01), scalar('mem', 1)],
    executor: { executor_id: { value: 'e' }, type: 'CUSTOM', command: { value: 'true' } },
  };
}

async function launch(scheduler: TestScheduler, ...taskIds: string[]): Promise<void> {
  await scheduler.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [{ value: await replay.nextOffer() }],
      operations: [
        { type: 'LAUNCH', launch: { task_infos: taskIds.map((taskId) => taskOn(replay.agentId, taskId)) } },
      ],
      filters: { refuse_seconds: 0 },
    },
  });
}

test('a call that is lost is answered like any other and has no effect', async () => {
  const scheduler = await start();
  replay.mesos.lose('ACCEPT', 1);
  await launch(scheduler, 't');
  await scheduler.call({
    type: 'RECONCILE',
    reconcile: { tasks: [{ task_id: { value: 't' }, agent_id: { value: replay.agentId } }] },
  });
  expect(await scheduler.see('t', () => true)).toMatchObject({ state: 'TASK_GONE' });
});

test('an update that is duplicated comes twice with one uuid', async () => {
  const scheduler = await start();
  replay.mesos.duplicateUpdates(1);
  await launch(scheduler, 't');
  await scheduler.see('t', ({ state }) => state === 'TASK_RUNNING');
  const uuids = scheduler.statuses('t').map(({ uuid }) => Buffer.from(uuid ?? []).toString('hex'));
  expect(uuids.length).toBe(3);
  expect(new Set(uuids).size).toBe(2);
});

test('an update that is never acknowledged is repeated with the same uuid, and later ones wait', async () => {
  const scheduler = await start({ updateRetryMs: 100 });
  await launch(scheduler, 't');
  await scheduler.stream!.next('three copies', () => scheduler.statuses('t')[2]);
  expect(scheduler.statuses('t').map(({ state }) => state)).toEqual(Array(3).fill('TASK_STARTING'));
  expect(new Set(scheduler.statuses('t').map(({ uuid }) => String(uuid))).size).toBe(1);
  expect(await scheduler.see('t', ({ state }) => state === 'TASK_RUNNING')).toBeDefined();
});

test('a stream that is dropped breaks without an end', async () => {
  const scheduler = await start();
  const stream = scheduler.stream!;
  expect(replay.mesos.dropConnection(scheduler.frameworkId ?? '')).toBe(true);
  await stream.next('the break', () => stream.closed || undefined);
  expect(stream.ended).toBe(false);
  expect(replay.mesos.dropConnection('nobody')).toBe(false);
});

test('schedulers must know a secret where credentials are set', async () => {
  const credentials = [{ principal: 'me', secret: 'pass:word' }];
  replay = await Replay.start('scheduler-json', {}, { credentials }, { executor: 'simulated' });
  const refused = await request(replay.scheduler.url, { headers: { 'Content-Type': 'application/json' } });
  expect(refused).toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="mesos-master-scheduler"' },
  });
  const { scheduler } = replay;
  scheduler.headers = { Authorization: `Basic ${Buffer.from('me:pass:word').toString('base64')}` };
  await scheduler.subscribe();
  expect(await scheduler.call({ type: 'REVIVE' })).toMatchObject({ status: 202 });
  const state = await request(`${replay.mesos.url}/frameworks`, { method: 'GET' });
  expect(JSON.parse(state.body)).toMatchObject({ frameworks: [{ principal: 'me' }] });
});

test('a framework that does not know partitions is told of lost tasks only', async () => {
  replay = await Replay.start('scheduler-json', {}, {}, { executor: 'simulated' });
  await replay.scheduler.subscribe({ capabilities: [{ type: 'MULTI_ROLE' }] });
  await replay.scheduler.call({ type: 'KILL', kill: { task_id: { value: 'x' } } });
  expect(await replay.scheduler.see('x', () => true)).toMatchObject({ state: 'TASK_LOST' });
});

test('an agent whose way is cut for a moment loses nothing', async () => {
  const scheduler = await start();
  replay.mesos.cutAgent(replay.agentId);
  await launch(scheduler, 't');
  replay.mesos.healAgent(replay.agentId);
  await scheduler.see('t', ({ state }) => state === 'TASK_RUNNING');
});

test('a launch that never reached its agent is dropped when the agent registers again', async () => {
  const scheduler = await start();
  const offer = await replay.nextOffer();
  replay.mesos.cutAgent(replay.agentId);
  await scheduler.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [{ value: offer }],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [taskOn(replay.agentId, 't')] } }],
    },
  });
  // The process dies while what was sent to it is still on its way; the master does not see it die.
  await replay.mesos.stopAgent(replay.agentId);
  replay.mesos.healAgent(replay.agentId);
  await replay.mesos.startAgent(replay.agentId);
  expect(await scheduler.see('t', () => true)).toMatchObject({
    state: 'TASK_DROPPED',
    reason: 'REASON_RECONCILIATION',
    source: 'SOURCE_AGENT',
  });
});

test('thousands of simulated tasks on many agents start and end through the real API', async () => {
  const scheduler = await start({ allocationIntervalMs: 50 });
  for (let index = 1; index < 20; index += 1) {
    await replay.mesos.addAgent({
      hostname: `host-${index}`,
      resources: { cpus: 4, mem: 4096, disk: 0 },
      workDir: replay.directory,
      executor: 'simulated',
    });
  }
  const perAgent = 50;
  const launched = new Set<string>();
  while (launched.size < 20) {
    const offer = await scheduler.stream!.next('offers of all agents', (events) =>
      events
        .flatMap((event) => event.offers?.offers ?? [])
        .find(({ agent_id: agent }) => !launched.has(agent.value)),
    );
    const agentId = offer.agent_id.value;
    launched.add(agentId);
    const tasks = Array.from({ length: perAgent }, (_, index) => taskOn(agentId, `${agentId}-${index}`));
    await scheduler.call({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos: tasks } }],
      },
    });
  }
  await replay.mesos.waitFor(
    'all tasks run',
    ({ agents }) =>
      agents.every(({ executors }) => executors[0]?.tasks.every(({ state }) => state === 'TASK_RUNNING')) &&
      agents.flatMap(({ executors }) => executors[0]?.tasks ?? []).length === 20 * perAgent,
    10_000,
  );
  expect(replay.mesos.state().frameworks[0]?.tasks.length).toBe(20 * perAgent);
  await scheduler.call({ type: 'TEARDOWN' });
  await replay.mesos.waitFor(
    'nothing runs',
    ({ agents }) => agents.every((one) => one.executors.length === 0),
    10_000,
  );
});
