import { expect, test } from '@jest/globals';
import type { TaskStatus } from '../../proto/mesos.gen.ts';
import { reduce } from '../../executor/core/tasks/events.ts';
import type { ProbeOutcome } from '../../executor/core/tasks/health-check.ts';
import { newRecord, type TaskRecord } from '../../executor/core/tasks/record.ts';
import { reportOf } from '../../executor/core/tasks/status.ts';
import { TaskReporter } from '../../executor/tasks/task-reporter.ts';
import { agentId, executorId, taskId } from '../../src/model/ids.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { taskSpec } from '../support/executor-tasks.ts';
import { ManualClock } from '../support/manual-clock.ts';

const up = { status: 200, contentType: 'text/plain', body: 'all is well' };
const loading = (percent: number) => ({
  status: 503,
  contentType: 'text/plain',
  body: `${percent} % loaded`,
});
const notYet = (percent: number): ProbeOutcome => ({
  kind: 'failure',
  cause: 'status 503',
  response: loading(percent),
});

/** A running task with a readiness check that keeps answers, or does not. */
function waiting(keepsResponse: boolean): TaskRecord {
  const probe = { kind: 'http', scheme: 'http', port: 80, path: '/ready', ignore1xx: false } as const;
  const spec = taskSpec({
    readinessCheck: { probe: { ...probe, keepsResponse }, intervalMs: 2000, timeoutMs: 1000 },
  });
  const task = { taskId: taskId(spec.taskId), spec, options: { hostConfig: {}, sandbox: {} } };
  return { ...newRecord(task as TaskRecord['task'], 0), app: 'running', startedAt: 0 };
}

const probed = (record: TaskRecord, outcome: ProbeOutcome): TaskRecord =>
  reduce(record, { kind: 'readiness-probed', outcome });

test('the last answer is kept until the first success, with that, and not after it', () => {
  const first = probed(waiting(true), notYet(5));
  const ready = probed(first, { kind: 'success', response: up });
  expect(reportOf(first)).toMatchObject({ ready: false, lastResponse: loading(5) });
  expect(reportOf(ready)).toMatchObject({ ready: true, lastResponse: up });
  expect(probed(ready, notYet(6))).toBe(ready);
});

test('where there was no answer a 504 says why, as in Marathon', () => {
  const silent = probed(waiting(true), { kind: 'failure', cause: 'no answer within 1000 ms' });
  expect(silent.lastResponse).toEqual({
    status: 504,
    contentType: 'text/plain',
    body: 'Patchpanel could not query HTTP :80/ready: no answer within 1000 ms',
  });
});

test('a check that does not keep answers has none, and a probe that says nothing changes none', () => {
  const plain = waiting(false);
  expect(probed(plain, notYet(5))).toBe(plain);
  expect(reportOf(probed(plain, { kind: 'success', response: up }))).not.toHaveProperty('lastResponse');
  const kept = probed(waiting(true), notYet(5));
  expect(probed(kept, { kind: 'ignored' })).toBe(kept);
});

/** A reporter whose updates are acknowledged at once, and every word that it logs. */
function reporting(clock: ManualClock) {
  const sent: TaskStatus[] = [];
  const logged: unknown[] = [];
  const add = (...words: unknown[]) => void logged.push(words);
  const log: Logger = { debug: add, info: add, warn: add, error: add, debugEnabled: true, child: () => log };
  const reporter = new TaskReporter({
    agentId: agentId('a'),
    executorId: executorId('e'),
    clock,
    log,
    send: (status) => {
      sent.push(status);
      reporter.acknowledged(status.task_id.value, status.uuid!);
    },
  });
  return { reporter, sent, logged };
}

test('the first answer and readiness are told at once, other answers at most every ten seconds; none is logged', () => {
  const clock = new ManualClock(0);
  const { reporter, sent, logged } = reporting(clock);
  let record = waiting(true);
  const tell = (next: TaskRecord) => {
    record = next;
    reporter.report(record.task.taskId, reportOf(record), record);
  };
  tell(record);
  // Only the fifth differs from the first; it comes too early, and is told with one that is like it.
  for (const percent of [5, 5, 5, 5, 7, 7, 7]) {
    tell(probed(record, notYet(percent)));
    clock.advance(2000);
  }
  tell(probed(record, { kind: 'success', response: up }));
  const told = sent.map(
    ({ data }) => JSON.parse(new TextDecoder().decode(data)) as { ready: boolean; response?: unknown },
  );
  expect(told.map(({ ready, response }) => [ready, response])).toEqual([
    [false, undefined],
    [false, loading(5)],
    [false, loading(7)],
    [true, up],
  ]);
  const words = JSON.stringify([logged, sent.map(({ message }) => message)]);
  expect(words).toContain('running');
  expect(words).not.toMatch(/loaded|all is well/);
});
