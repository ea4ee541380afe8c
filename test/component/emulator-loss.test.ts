import { afterEach, describe, expect, test } from '@jest/globals';
import type { SchedulerEvent } from '../../proto/mesos.gen.ts';
import { Replay, shapesOf } from '../support/emulator-replay.ts';
import { request, statusesOf } from '../support/emulator-scheduler.ts';

let replay: Replay | undefined;

afterEach(async () => {
  await replay?.close();
  replay = undefined;
});

/** The agent's random wait before it registers is long enough for a reconciliation to come first. */
const lateRandom = (): number => 0.5 + Math.random() / 2;

const typesOf = (events: readonly SchedulerEvent[], ...types: string[]): string[] =>
  events.flatMap(({ type }) => (type !== undefined && types.includes(type) ? [type] : []));

/** The recorder's cluster let one HEARTBEAT pass here and there; what counts is what happened to the tasks. */
function expectTasksLikeRecorded({ events, recorded }: Replay, tasks: readonly string[]): void {
  for (const task of tasks) {
    expect({ task, statuses: shapesOf(events, task) }).toEqual({ task, statuses: shapesOf(recorded, task) });
  }
}

describe('an agent that is lost', () => {
  test('is unreachable, comes back and is lost again as recorded', async () => {
    replay = await Replay.start('unreachable-json', { pingTimeoutMs: 100, maxPings: 3 });
    const { mesos, agentId, scheduler } = replay;
    const stream = await replay.open('stream-1-first');
    await replay.launchTasks('10');
    await replay.nextOffer(3.7);
    mesos.cutAgent(agentId);
    await stream.next('the failure', (events) => events.find(({ type }) => type === 'FAILURE'));
    expect(mesos.state().agents[0]).toMatchObject({
      link: 'cut',
      registration: 'unreachable',
      process: 'up',
    });
    await scheduler.call(replay.adapted('20'));
    await scheduler.call(replay.adapted('21'));
    const answered = (task: string) =>
      stream.next('the answer', (events) =>
        statusesOf(events, task).find(({ reason }) => reason === 'REASON_RECONCILIATION'),
      );
    await answered('t1-run');
    await answered('t2-run');
    mesos.healAgent(agentId);
    const repeated = await stream.next('both repetitions', (events) => {
      const updates = statusesOf(events, 't2-run').filter(
        ({ state, uuid }) => state === 'TASK_RUNNING' && uuid !== undefined,
      );
      return updates[2];
    });
    await scheduler.acknowledge(repeated);
    await scheduler.call({ type: 'RECONCILE', reconcile: {} });
    await stream.next(
      'two answers',
      (events) =>
        events.filter(
          ({ update }) =>
            update?.status.message === 'Reconciliation: Latest task state' &&
            update.status.state === 'TASK_RUNNING',
        )[1],
    );
    await replay.nextOffer();
    await mesos.stopAgent(agentId);
    await stream.next('the second failure', (events) => events.filter(({ type }) => type === 'FAILURE')[1]);
    expectTasksLikeRecorded(replay, ['t1-run', 't2-run']);
    const losses = typesOf(stream.events, 'RESCIND', 'FAILURE');
    expect(losses).toEqual(typesOf(replay.recorded, 'RESCIND', 'FAILURE'));
  });

  test('is given up at once when that is asked for, and registers again by itself', async () => {
    replay = await Replay.start('unreachable-json');
    const { mesos, agentId } = replay;
    const stream = await replay.open('stream-1-first');
    await replay.launchTasks('10');
    mesos.markUnreachable(agentId);
    await stream.next('the loss', (events) =>
      statusesOf(events, 't1-run').find(({ state }) => state === 'TASK_UNREACHABLE'),
    );
    await stream.next('the return', (events) =>
      statusesOf(events, 't1-run').find(({ reason }) => reason === 'REASON_AGENT_REREGISTERED'),
    );
    expect(mesos.state().agents[0]).toMatchObject({ agentId, registration: 'active' });
  });

  test('gets a kill that came while it was away for a moment', async () => {
    replay = await Replay.start('unreachable-json', { pingTimeoutMs: 5_000 });
    const { mesos, agentId, scheduler } = replay;
    await replay.open('stream-1-first');
    await replay.launchTasks('10');
    await mesos.stopAgent(agentId);
    await scheduler.call({ type: 'KILL', kill: { task_id: { value: 't1-run' } } });
    await mesos.startAgent(agentId);
    expect(await scheduler.see('t1-run', ({ state }) => state === 'TASK_KILLED')).toMatchObject({
      message: 'killed',
    });
  });
});

describe('an agent that is restarted', () => {
  test('keeps its executor and tasks and brings what was not acknowledged, as recorded', async () => {
    replay = await Replay.start('agent-restart-json');
    const { mesos, agentId, scheduler } = replay;
    const stream = await replay.open('stream-1-first');
    await replay.launchTasks('10', { FINISH_ALONE: '1' });
    const before = mesos.state().agents[0]!.executors[0]!;
    await mesos.stopAgent(agentId);
    expect(mesos.state().agents[0]).toMatchObject({ process: 'down', registration: 'disconnected' });
    await mesos.startAgent(agentId);
    const after = mesos.state().agents[0]!.executors[0]!;
    expect({ ...after, tasks: [] }).toEqual({ ...before, tasks: [] });
    await scheduler.see('t3-finish', ({ state }) => state === 'TASK_FINISHED');
    await scheduler.call({ type: 'RECONCILE', reconcile: { tasks: [{ task_id: { value: 't1-run' } }] } });
    await scheduler.see('t1-run', ({ reason }) => reason === 'REASON_RECONCILIATION');
    await scheduler.call({ type: 'KILL', kill: { task_id: { value: 't1-run' } } });
    await scheduler.see('t1-run', ({ state }) => state === 'TASK_KILLED');
    expectTasksLikeRecorded(replay, ['t1-run']);
    const distinct = new Set(shapesOf(replay.events, 't3-finish').map((shape) => JSON.stringify(shape)));
    const recorded = new Set(shapesOf(replay.recorded, 't3-finish').map((shape) => JSON.stringify(shape)));
    expect(distinct).toEqual(recorded);
    expect(typesOf(stream.events, 'FAILURE', 'ERROR')).toEqual([]);
  });

  test('gives up an executor that does not come back', async () => {
    replay = await Replay.start('agent-restart-json', { executorReregistrationMs: 300 });
    const { mesos, agentId, scheduler } = replay;
    await replay.open('stream-1-first');
    await replay.launchTasks('10', { NEVER_RETURN: '1' });
    await mesos.stopAgent(agentId);
    await mesos.startAgent(agentId);
    expect(await scheduler.see('t1-run', ({ state }) => state === 'TASK_GONE')).toMatchObject({
      reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
      source: 'SOURCE_AGENT',
    });
  });

  test('fails the tasks of an executor that died meanwhile', async () => {
    replay = await Replay.start('agent-restart-json');
    const { mesos, agentId, scheduler } = replay;
    await replay.open('stream-1-first');
    await replay.launchTasks('10');
    await mesos.stopAgent(agentId);
    expect(mesos.killExecutor(agentId)).toBe(1);
    await mesos.startAgent(agentId);
    expect(await scheduler.see('t1-run', ({ state }) => state === 'TASK_FAILED')).toMatchObject({
      reason: 'REASON_EXECUTOR_TERMINATED',
    });
  });
});

describe('a master that fails', () => {
  test('is followed by one that learns from agents, as recorded', async () => {
    replay = await Replay.start(
      'master-failover-json',
      { electionMs: 200, registrationBackoffMs: 600 },
      { ports: [0, 0], random: lateRandom },
    );
    const { mesos, scheduler } = replay;
    const [first = '', second = ''] = mesos.urls;
    const standby = await request(`${second}/api/v1/scheduler`, { body: replay.bodyOf('07') });
    const location = `${first.replace('http:', '')}/master/api/v1/scheduler`;
    expect(standby).toMatchObject({ status: 307, body: '', headers: { location } });
    const stream = await replay.open('stream-1-first');
    await replay.launchTasks('12', { TASK_MS: '100000' });
    const over = mesos.failover();
    await stream.next('the break', () => stream.closed || undefined);
    expect(stream.ended).toBe(false);
    expect(await request(`${second}/api/v1/scheduler`)).toMatchObject({ status: 307, headers: { location } });
    await over;
    expect(mesos.url).toBe(second);
    expect(await request(`${first}/state`, { method: 'GET' })).toMatchObject({
      status: 307,
      headers: { location: `${second.replace('http:', '')}/master/state` },
    });
    scheduler.url = `${second}/api/v1/scheduler`;
    const next = await replay.open('stream-2-after-failover');
    await scheduler.call(replay.adapted('21'));
    await next.next('the return', (events) =>
      statusesOf(events, 't2-run').find(({ reason }) => reason === 'REASON_AGENT_REREGISTERED'),
    );
    const repeated = await next.next(
      'both repetitions',
      (events) => statusesOf(events, 't2-run').filter(({ uuid }) => uuid !== undefined)[1],
    );
    await scheduler.acknowledge(repeated);
    await scheduler.call(replay.adapted('26'));
    await next.next('the last answer', (events) =>
      statusesOf(events, 't1-run').find(({ message }) => message === 'Reconciliation: Latest task state'),
    );
    expectTasksLikeRecorded(replay, ['t1-run', 't2-run', 'unknown-task']);
  });

  test('alone leads anew and knows nothing of a framework that was torn down', async () => {
    replay = await Replay.start('master-failover-json');
    const { mesos, scheduler, agentId } = replay;
    await replay.open('stream-1-first');
    await replay.launchTasks('12');
    await mesos.failover();
    await mesos.waitFor('the agent', (state) => state.agents[0]!.registration === 'active', 5_000);
    expect(mesos.state().frameworks).toMatchObject([
      { frameworkId: scheduler.frameworkId, connected: false },
    ]);
    await replay.open('stream-2-after-failover');
    await scheduler.call({ type: 'TEARDOWN' });
    await mesos.waitFor('the end', (state) => state.agents[0]!.executors.length === 0, 8_000);
    expect(mesos.state().agents[0]).toMatchObject({ agentId });
  });
});
