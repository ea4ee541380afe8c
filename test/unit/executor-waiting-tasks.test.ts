import { expect, test } from '@jest/globals';
import type { TaskStatus } from '../../proto/mesos.gen.ts';
import type { Tasks } from '../../executor/serve.ts';
import { refusingTasks } from '../../executor/serve.ts';
import { TaskReporter } from '../../executor/tasks/task-reporter.ts';
import { WaitingTasks } from '../../executor/tasks/waiting-tasks.ts';
import { agentId, executorId } from '../../src/model/ids.ts';
import { taskInfo, taskSpec } from '../support/executor-tasks.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const launchOf = (id: string) => taskInfo(taskSpec({ taskId: id }));

function bench() {
  const sent: TaskStatus[] = [];
  const reporter = new TaskReporter({
    agentId: agentId('a'),
    executorId: executorId('e'),
    clock: new ManualClock(),
    log: recordingLogger(),
    send: (update) => void sent.push(update),
  });
  const waiting = new WaitingTasks(reporter);
  const calls: string[] = [];
  const tasks: Tasks = {
    ...refusingTasks('', reporter),
    launch: ({ task_id }) => void calls.push(`launch ${task_id.value}`),
    setLeader: (url, term) => void calls.push(`leader ${url} ${term}`),
    handOver: () => Promise.resolve(void calls.push('hand over')),
  };
  const told = () => sent.map(({ task_id, state }) => `${task_id.value} ${state}`);
  const listed = () => reporter.unacknowledged().tasks.map(({ task_id }) => task_id.value);
  return { waiting, tasks, calls, told, listed };
}

test('a launch waits, is listed as unacknowledged, and goes on once, in its order, with the newest leader', () => {
  const { waiting, tasks, calls, told, listed } = bench();
  for (const id of ['one', 'two', 'one']) waiting.launch(launchOf(id));
  waiting.setLeader('http://new', 8);
  waiting.setLeader('http://old', 7);
  expect(listed()).toEqual(['one', 'two']);
  expect(told()).toEqual([]);
  waiting.handTo(tasks);
  expect(calls).toEqual(['launch one', 'launch two', 'leader http://new 8']);
});

test('a task that waits is killed at once and never begun', () => {
  const { waiting, tasks, calls, told } = bench();
  for (const id of ['one', 'two']) waiting.launch(launchOf(id));
  waiting.kill('one');
  waiting.kill('stranger');
  expect(told()).toEqual(['one TASK_KILLED']);
  waiting.handTo(tasks);
  expect(calls).toEqual(['launch two']);
});

test('the end of the executor ends what waits', async () => {
  const { waiting, told } = bench();
  for (const id of ['one', 'two']) waiting.launch(launchOf(id));
  waiting.killAll();
  await waiting.emptied();
  expect(told()).toEqual(['one TASK_KILLED', 'two TASK_KILLED']);
});

test('a host that is wanted by a newer executor is handed over when it is ready', async () => {
  const { waiting, tasks, calls } = bench();
  const handedOver = waiting.handOver();
  waiting.launch(launchOf('one'));
  waiting.handTo(tasks);
  await handedOver;
  expect(calls).toEqual(['launch one', 'hand over']);
});
