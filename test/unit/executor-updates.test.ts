import { expect, test } from '@jest/globals';
import type { TaskState, TaskStatus } from '../../proto/mesos.gen.ts';
import { statusOf } from '../../scheduler/driver/mesos/statuses.ts';
import { readExecutorConfig } from '../../executor/config.ts';
import { refusingTasks } from '../../executor/serve.ts';
import { TaskUpdates } from '../../executor/core/tasks/updates.ts';
import { TaskReporter } from '../../executor/tasks/task-reporter.ts';
import { IdleTimer } from '../../executor/tasks/idle-timer.ts';
import { agentId, executorId, taskId } from '../../src/model/ids.ts';
import { taskInfo, taskSpec } from '../support/executor-tasks.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const id = 'task-1';
const status = (number: number, state: TaskState = 'TASK_STARTING'): TaskStatus => ({
  task_id: { value: id },
  state,
  uuid: new Uint8Array(16).fill(number),
});
const uuid = (number: number) => new Uint8Array(16).fill(number);
const states = (updates: TaskUpdates) =>
  updates.unacknowledged().updates.map(({ status: { state } }) => state);

test('a task is listed until its first update is acknowledged, an update until its own', () => {
  const updates = new TaskUpdates();
  updates.launched(taskInfo(taskSpec({ taskId: id })));
  updates.add(status(1), 'state', 0);
  updates.add(status(2, 'TASK_RUNNING'), 'state', 0);
  expect(updates.unacknowledged().tasks).toHaveLength(1);
  expect(states(updates)).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
  updates.acknowledge(id, uuid(1), 0);
  expect(updates.unacknowledged().tasks).toEqual([]);
  expect(states(updates)).toEqual(['TASK_RUNNING']);
  updates.acknowledge(id, uuid(2), 0);
  expect(updates.allAcknowledged).toBe(true);
});

test('progress waits for the acknowledgement of what was told before, and only the newest of it is kept', () => {
  const updates = new TaskUpdates();
  expect(updates.add(status(1), 'state', 0)).toBe(true);
  expect(updates.add(status(2), 'progress', 0)).toBe(false);
  expect(updates.add(status(3), 'progress', 0)).toBe(false);
  expect(updates.acknowledge(id, uuid(1), 0)).toEqual(status(3));
  expect(states(updates)).toHaveLength(1);
});

test('progress that waits is dropped when the state changes', () => {
  const updates = new TaskUpdates();
  updates.add(status(1), 'state', 0);
  updates.add(status(2), 'progress', 0);
  updates.add(status(3, 'TASK_RUNNING'), 'state', 0);
  expect(updates.acknowledge(id, uuid(1), 0)).toBeUndefined();
  expect(states(updates)).toEqual(['TASK_RUNNING']);
});

test('an update without acknowledgement is due again, with the same uuid', () => {
  const updates = new TaskUpdates();
  updates.add(status(1), 'state', 0);
  expect(updates.overdue(9_999)).toEqual([]);
  expect(updates.overdue(10_000)).toEqual([status(1)]);
  expect(updates.overdue(10_001)).toEqual([]);
});

test('an acknowledgement of something unknown changes nothing', () => {
  const updates = new TaskUpdates();
  updates.add(status(1), 'state', 0);
  updates.acknowledge('other', uuid(1), 0);
  updates.acknowledge(id, uuid(9), 0);
  expect(states(updates)).toEqual(['TASK_STARTING']);
});

function reporter() {
  const clock = new ManualClock();
  const sent: TaskStatus[] = [];
  const told = new TaskReporter({
    agentId: agentId('a'),
    executorId: executorId('e'),
    clock,
    log: recordingLogger(),
    send: (update) => void sent.push(update),
  });
  return { clock, sent, told };
}

test('a task ends once, whatever is reported afterwards', () => {
  const { sent, told } = reporter();
  for (const state of ['TASK_STARTING', 'TASK_FINISHED', 'TASK_FAILED', 'TASK_RUNNING'] as const) {
    told.report(taskId(id), { state, message: '' });
  }
  expect(sent.map(({ state }) => state)).toEqual(['TASK_STARTING', 'TASK_FINISHED']);
});

test('an executor that cannot serve its host says so in a field that the scheduler reads', () => {
  const { sent, told } = reporter();
  refusingTasks('no Docker here', told).launch(taskInfo(taskSpec({ taskId: id })));
  expect(sent.map((each) => statusOf(each))).toMatchObject([
    { taskId: id, condition: 'failed', hostUnfit: true, message: 'no Docker here' },
  ]);
});

test('progress is told every two seconds at most', () => {
  const { clock, sent, told } = reporter();
  const tell = (message: string) => {
    told.report(taskId(id), { state: 'TASK_STARTING', message });
    for (const { uuid: each } of sent) told.acknowledged(id, each!);
  };
  tell('a');
  tell('b');
  clock.advance(2000);
  tell('c');
  expect(sent.map(({ message }) => message)).toEqual(['a', 'c']);
});

test('every update has a uuid of its own', () => {
  const { sent, told } = reporter();
  told.report(taskId(id), { state: 'TASK_STARTING', message: '' });
  told.report(taskId(id), { state: 'TASK_RUNNING', message: '' });
  expect(sent[0]?.uuid).not.toEqual(sent[1]?.uuid);
});

test('the idle timer counts only while there is no task', () => {
  const clock = new ManualClock();
  let idle = 0;
  const timer = new IdleTimer(clock, 1000, () => (idle += 1));
  timer.update(1);
  clock.advance(5000);
  expect(idle).toBe(0);
  timer.update(0);
  clock.advance(999);
  expect(idle).toBe(0);
  clock.advance(1);
  expect(idle).toBe(1);
});

test('a setting comes from the environment, then from the file, then from its default', () => {
  const file = () => JSON.stringify({ bridge: 'br-file', outputFiles: 7 });
  const config = readExecutorConfig({ PATCHPANEL_BRIDGE: 'br-env', PATCHPANEL_IDLE_EXIT_SECONDS: '9' }, file);
  expect(config).toMatchObject({ bridge: 'br-env', outputFiles: 7, idleExitSeconds: 9, datapath: 'auto' });
});

test.each([
  [{ PATCHPANEL_BRIDGE: 'much-too-long-a-name' }, undefined, /^PATCHPANEL_BRIDGE is wrong/],
  [{ PATCHPANEL_UNDERLAY_IP: 'here' }, undefined, /^PATCHPANEL_UNDERLAY_IP is wrong/],
  [{ PATCHPANEL_OUTPUT_FILES: 'x' }, undefined, /^PATCHPANEL_OUTPUT_FILES is wrong/],
  [{}, '{"stateDir":"relative"}', /^stateDir in \/etc\/patchpanel\/executor.yaml is wrong/],
  [{}, '{"bridg":"x"}', /has a setting bridg; did you mean bridge\?/],
  [{}, '[', /is neither YAML nor JSON/],
  [{ PATCHPANEL_CONFIG: '/no/such' }, undefined, /names \/no\/such, which does not exist/],
])('wrong settings %j %s are refused with their name', (variables, file, message) => {
  expect(() => readExecutorConfig(variables, () => file)).toThrow(message);
});
