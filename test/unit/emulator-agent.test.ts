import { expect, test } from '@jest/globals';
import type { ExecutorEvent, ExecutorInfo, TaskInfo, TaskState } from '../../proto/mesos.gen.ts';
import { Agent } from '../../src/devcluster/mesos/core/agent.ts';
import {
  emptyAgentState,
  type AgentState,
  type ContainerRequest,
} from '../../src/devcluster/mesos/core/agent-state.ts';
import type { ToMaster } from '../../src/devcluster/mesos/core/messages.ts';
import { mesosTimings } from '../../src/devcluster/mesos/options.ts';
import { newUuid } from '../../src/mesos/uuid.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const framework = { user: 'root', name: 'n', id: { value: 'f' }, checkpoint: true };
const executor: ExecutorInfo = {
  executor_id: { value: 'e' },
  framework_id: { value: 'f' },
  command: { value: 'run' },
};
const taskOf = (id: string): TaskInfo => ({
  name: id,
  task_id: { value: id },
  agent_id: { value: 'a' },
  executor,
});

/** An agent with everything around it recorded. */
class Rig {
  readonly clock: ManualClock;
  readonly state: AgentState;
  readonly sent: ToMaster[] = [];
  readonly launched: ContainerRequest[] = [];
  readonly destroyed: string[] = [];
  readonly agent: Agent;

  constructor(clock = new ManualClock(), state: AgentState = emptyAgentState()) {
    this.clock = clock;
    this.state = state;
    this.agent = new Agent({
      state,
      info: { hostname: 'h' },
      endpoint: { host: '10.0.0.1', port: 5051 },
      workDir: '/work',
      executorEnvironment: {},
      containers: {
        launch: (request) => this.launched.push(request),
        destroy: (containerId) => this.destroyed.push(containerId),
      },
      clock,
      random: Math.random,
      timings: mesosTimings,
      log: recordingLogger(),
    });
    this.agent.connect({ send: (message) => this.sent.push(message), close: () => {} });
  }

  register(): this {
    this.clock.advance(mesosTimings.registrationBackoffMs);
    this.agent.receive(
      this.state.agentId === undefined
        ? { kind: 'registered', agentId: 'a' }
        : { kind: 'reregistered', missing: [] },
    );
    return this;
  }

  run(taskId: string, launchExecutor: boolean): this {
    this.agent.receive({ kind: 'run-task', framework, executor, task: taskOf(taskId), launchExecutor });
    return this;
  }

  /** Subscribes the executor; gives the events that it gets from now on. */
  subscribe(unacknowledged: readonly string[] = []): ExecutorEvent[] {
    const events: ExecutorEvent[] = [];
    const stream = { send: (event: ExecutorEvent) => events.push(event), end: () => {} };
    const subscribe = { unacknowledged_tasks: unacknowledged.map(taskOf) };
    this.agent.subscribe(this.executor(), { ...this.ids(), type: 'SUBSCRIBE', subscribe }, stream);
    return events;
  }

  update(taskId: string, state: TaskState, uuid = newUuid()): Uint8Array {
    const status = { task_id: { value: taskId }, state, source: 'SOURCE_EXECUTOR' as const, uuid };
    this.agent.call(this.executor(), { ...this.ids(), type: 'UPDATE', update: { status } });
    return uuid;
  }

  executor() {
    return this.agent.executor('f', 'e')!;
  }

  ids() {
    return { framework_id: { value: 'f' }, executor_id: { value: 'e' } };
  }

  /** Task, state and reason of the updates that went to the master. */
  updates(): string[] {
    return this.sent.flatMap((message) => {
      if (message.kind !== 'status-update') return [];
      const { task_id: task, state, reason } = message.status;
      return [[task.value, state, reason].filter((part) => part !== undefined).join(' ')];
    });
  }
}

const typesOf = (events: readonly ExecutorEvent[]): (string | undefined)[] =>
  events.map(({ type, launch }) => (launch ? `LAUNCH ${launch.task.task_id.value}` : type));

test('tasks wait for their executor and are then delivered in order', () => {
  const rig = new Rig().register().run('t1', true).run('t2', false);
  expect(rig.launched.length).toBe(1);
  expect(typesOf(rig.subscribe())).toEqual(['SUBSCRIBED', 'LAUNCH t1', 'LAUNCH t2']);
});

test('an executor that exists is not launched, one that does not is not expected', () => {
  const rig = new Rig().register().run('t1', false);
  expect(rig.updates()).toEqual(['t1 TASK_DROPPED REASON_EXECUTOR_TERMINATED']);
  rig.run('t2', true).run('t3', true);
  expect(rig.updates().slice(1)).toEqual(['t3 TASK_DROPPED REASON_EXECUTOR_TERMINATED']);
  expect(rig.launched.length).toBe(1);
});

test('a task that is killed before its executor is up was killed during its launch, and the executor goes', () => {
  const rig = new Rig().register().run('t1', true);
  rig.agent.receive({ kind: 'kill-task', frameworkId: 'f', taskId: 't1', policy: undefined });
  expect(rig.updates()).toEqual(['t1 TASK_KILLED REASON_TASK_KILLED_DURING_LAUNCH']);
  expect(typesOf(rig.subscribe())).toEqual(['SHUTDOWN']);
  rig.clock.advance(mesosTimings.executorShutdownGraceMs);
  expect(rig.destroyed).toEqual([rig.launched[0]!.containerId]);
});

test('a kill of a task that nobody has is answered', () => {
  const rig = new Rig().register();
  rig.agent.receive({ kind: 'kill-task', frameworkId: 'f', taskId: 'x', policy: undefined });
  expect(rig.updates()).toEqual(['x TASK_DROPPED REASON_EXECUTOR_TERMINATED']);
});

test('an executor that ends fails its live tasks after the news of its end', () => {
  const rig = new Rig().register().run('t1', true).run('t2', false);
  rig.subscribe();
  const over = rig.update('t1', 'TASK_FINISHED');
  rig.agent.containerEnded(rig.launched[0]!.containerId, { kind: 'exited', status: 256 });
  expect(rig.sent.slice(-2)).toMatchObject([
    { kind: 'executor-exited', executorId: 'e', status: 256 },
    { kind: 'status-update', status: { task_id: { value: 't2' }, reason: 'REASON_EXECUTOR_TERMINATED' } },
  ]);
  // Until the scheduler has acknowledged all of it the executor's id cannot be used again.
  rig.run('t3', true);
  expect(rig.updates().at(-1)).toBe('t3 TASK_DROPPED REASON_EXECUTOR_TERMINATED');
  rig.agent.receive({ kind: 'acknowledge', frameworkId: 'f', taskId: 't1', uuid: over });
  const { status } = rig.sent.findLast(
    (one) => one.kind === 'status-update' && one.status.task_id.value === 't2',
  ) as Extract<ToMaster, { kind: 'status-update' }>;
  rig.agent.receive({ kind: 'acknowledge', frameworkId: 'f', taskId: 't2', uuid: status.uuid! });
  expect(rig.agent.hasFramework('f')).toBe(false);
});

test('every update is acknowledged to the executor, but only one end of a task counts', () => {
  const rig = new Rig().register().run('t1', true);
  const events = rig.subscribe();
  const uuid = rig.update('t1', 'TASK_FINISHED');
  rig.update('t1', 'TASK_FINISHED', uuid);
  rig.update('t1', 'TASK_FAILED');
  rig.update('stranger', 'TASK_RUNNING');
  expect(typesOf(events).slice(2)).toEqual(Array(4).fill('ACKNOWLEDGED'));
  expect(rig.updates()).toEqual(['t1 TASK_FINISHED']);
});

test('the master learns the latest state although the scheduler still waits for an earlier one', () => {
  const rig = new Rig().register().run('t1', true);
  rig.subscribe();
  const starting = rig.update('t1', 'TASK_STARTING');
  rig.update('t1', 'TASK_RUNNING');
  rig.update('t1', 'TASK_FINISHED');
  rig.agent.receive({ kind: 'acknowledge', frameworkId: 'f', taskId: 't1', uuid: starting });
  expect(rig.sent.at(-1)).toMatchObject({ status: { state: 'TASK_RUNNING' }, latestState: 'TASK_FINISHED' });
});

test('a scheduler that subscribes again is told at once what the last one did not acknowledge', () => {
  const rig = new Rig().register().run('t1', true);
  rig.subscribe();
  rig.update('t1', 'TASK_RUNNING');
  rig.update('t1', 'TASK_FINISHED');
  rig.agent.receive({ kind: 'update-framework', frameworkId: 'stranger' });
  expect(rig.updates()).toEqual(['t1 TASK_RUNNING']);
  rig.agent.receive({ kind: 'update-framework', frameworkId: 'f' });
  expect(rig.updates()).toEqual(['t1 TASK_RUNNING', 't1 TASK_RUNNING']);
});

test('after a restart an executor that lists a task keeps it and one that does not loses it', () => {
  const rig = new Rig().register().run('t1', true).run('t2', false);
  rig.subscribe();
  rig.agent.stop();
  const again = new Rig(rig.clock, rig.state);
  expect(again.agent.isRecovering).toBe(true);
  expect(typesOf(again.subscribe(['t1']))).toEqual(['SUBSCRIBED']);
  again.clock.advance(mesosTimings.executorReregistrationMs);
  again.register();
  expect(again.sent.find(({ kind }) => kind === 'reregister')).toMatchObject({
    agentId: 'a',
    executors: [{ info: executor }],
    tasks: [
      { info: { name: 't1' }, state: 'TASK_STAGING' },
      { info: { name: 't2' }, state: 'TASK_DROPPED' },
    ],
  });
  expect([...new Set(again.updates())]).toEqual(['t2 TASK_DROPPED REASON_AGENT_RESTARTED']);
  expect(again.destroyed).toEqual([]);
});

test('after a restart an executor that stays away is destroyed and its tasks are gone', () => {
  const rig = new Rig().register().run('t1', true);
  rig.subscribe();
  rig.agent.stop();
  const again = new Rig(rig.clock, rig.state);
  again.clock.advance(mesosTimings.executorReregistrationMs);
  expect(again.destroyed).toEqual([rig.launched[0]!.containerId]);
  again.agent.containerEnded(again.destroyed[0]!, { kind: 'exited', status: 9 });
  again.register();
  expect(again.updates()[0]).toBe('t1 TASK_GONE REASON_EXECUTOR_REREGISTRATION_TIMEOUT');
});

test('the tasks of a framework that is shut down end without a word', () => {
  const rig = new Rig().register().run('t1', true);
  const events = rig.subscribe();
  rig.agent.receive({ kind: 'shutdown-framework', frameworkId: 'f' });
  expect(typesOf(events).at(-1)).toBe('SHUTDOWN');
  rig.agent.containerEnded(rig.launched[0]!.containerId, { kind: 'exited', status: 0 });
  expect(rig.updates()).toEqual([]);
  expect(rig.state.frameworks.size).toBe(0);
  expect(rig.clock.pendingTimers).toBe(0);
});

test('a second stream of an executor replaces the first', () => {
  const rig = new Rig().register().run('t1', true);
  const first = rig.subscribe();
  const second = rig.subscribe(['t1']);
  rig.update('t1', 'TASK_RUNNING');
  expect(typesOf(first)).toEqual(['SUBSCRIBED', 'LAUNCH t1']);
  expect(typesOf(second)).toEqual(['SUBSCRIBED', 'ACKNOWLEDGED']);
});
