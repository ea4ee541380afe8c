import { expect, test } from '@jest/globals';
import type { TaskState, TaskStatus } from '../../proto/mesos.gen.ts';
import { UpdateSender, type UpdateStreams } from '../../src/devcluster/mesos/core/update-streams.ts';
import { mesosTimings } from '../../src/devcluster/mesos/options.ts';
import { newUuid } from '../../src/mesos/uuid.ts';
import { ManualClock } from '../support/manual-clock.ts';

function senderWith(clock: ManualClock, streams: UpdateStreams = new Map()) {
  const sent: TaskStatus[] = [];
  const sender = new UpdateSender({
    streams,
    clock,
    timings: mesosTimings,
    forward: (_frameworkId, status) => sent.push(status),
  });
  sender.resume();
  return { sender, sent, streams };
}

const status = (taskId: string, state: TaskState): TaskStatus & { uuid: Uint8Array } => ({
  task_id: { value: taskId },
  state,
  uuid: newUuid(),
});

test('the next update of a task waits for the acknowledgement of the one before', () => {
  const { sender, sent } = senderWith(new ManualClock());
  const [starting, running] = [status('t', 'TASK_STARTING'), status('t', 'TASK_RUNNING')];
  sender.add('f', starting);
  sender.add('f', running);
  const other = status('u', 'TASK_STARTING');
  sender.add('f', other);
  expect(sent).toEqual([starting, other]);
  expect(sender.acknowledge('f', 't', running.uuid)).toBe('unexpected');
  expect(sender.acknowledge('f', 't', starting.uuid)).toBe('next');
  expect(sent).toEqual([starting, other, running]);
});

test('an update is repeated after 10 s, then ever more slowly up to 10 min', () => {
  const clock = new ManualClock();
  const { sender, sent } = senderWith(clock);
  sender.add('f', status('t', 'TASK_RUNNING'));
  const times: number[] = [];
  const start = clock.now();
  for (let seen = sent.length; times.length < 9; clock.advance(1_000)) {
    if (sent.length > seen) times.push((clock.now() - start) / 1_000);
    seen = sent.length;
  }
  const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));
  expect(gaps).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600]);
});

test('an update that was taken in before is recognised, also after a restart', () => {
  const clock = new ManualClock();
  const { sender, streams } = senderWith(clock);
  const running = status('t', 'TASK_RUNNING');
  expect(sender.add('f', running)).toBe(true);
  expect(sender.add('f', running)).toBe(false);
  sender.pause();
  const restarted = senderWith(clock, streams);
  expect(restarted.sender.isKnown('f', running)).toBe(true);
  expect(restarted.sent).toEqual([running]);
});

test('nothing is sent while the master is away, and what waits is sent at once when it is back', () => {
  const clock = new ManualClock();
  const { sender, sent } = senderWith(clock);
  sender.pause();
  sender.add('f', status('t', 'TASK_RUNNING'));
  clock.advance(3_600_000);
  expect(sent).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
  sender.resume();
  expect(sent.length).toBe(1);
});

test('the acknowledgement of a terminal update ends the stream', () => {
  const clock = new ManualClock();
  const { sender, streams } = senderWith(clock);
  const killed = status('t', 'TASK_KILLED');
  sender.add('f', killed);
  expect(sender.acknowledge('f', 't', killed.uuid)).toBe('last');
  expect(streams.size).toBe(0);
  expect(clock.pendingTimers).toBe(0);
  expect(sender.acknowledge('f', 't', killed.uuid)).toBe('unexpected');
});

test('updates of a framework that is gone are dropped', () => {
  const clock = new ManualClock();
  const { sender, streams } = senderWith(clock);
  sender.add('f', status('t', 'TASK_RUNNING'));
  sender.add('g', status('t', 'TASK_RUNNING'));
  sender.drop('f');
  expect([...streams.values()].map(({ frameworkId }) => frameworkId)).toEqual(['g']);
  expect(clock.pendingTimers).toBe(1);
});
