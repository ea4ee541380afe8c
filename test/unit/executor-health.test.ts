import { expect, test } from '@jest/globals';
import {
  afterProbe,
  isHealthNews,
  pauseMs,
  untriedCheck,
  type CheckState,
  type ProbeOutcome,
} from '../../executor/core/tasks/health-check.ts';
import { changeOf, reportOf, toTaskStatus } from '../../executor/core/tasks/status.ts';
import { reduce } from '../../executor/core/tasks/events.ts';
import { newRecord, type TaskRecord } from '../../executor/core/tasks/record.ts';
import { TaskUpdates } from '../../executor/core/tasks/updates.ts';
import { TaskProbes } from '../../executor/tasks/task-probes.ts';
import { healthOf } from '../../src/model/health.ts';
import { agentId, executorId, taskId } from '../../src/model/ids.ts';
import type { CheckSpec, TaskSpec } from '../../src/model/task-spec.ts';
import { taskSpec } from '../support/executor-tasks.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const startedAt = 1_000_000;
const check = (of: Partial<CheckSpec> = {}): CheckSpec => ({
  probe: { kind: 'http', scheme: 'http', port: 80, path: '/health', ignore1xx: false },
  delayMs: 0,
  graceMs: 10_000,
  intervalMs: 5_000,
  timeoutMs: 1_000,
  maxConsecutiveFailures: 3,
  ...of,
});
const good: ProbeOutcome = { kind: 'success' };
const bad: ProbeOutcome = { kind: 'failure', cause: 'status 503' };

/** The state after probes that ended so many milliseconds after the start. */
const after = (spec: CheckSpec, ...probes: readonly [number, ProbeOutcome][]): CheckState =>
  probes.reduce(
    (state, [at, outcome]) => afterProbe(spec, state, outcome, startedAt, startedAt + at),
    untriedCheck,
  );

test('failures within the grace period are forgiven until the first success', () => {
  expect(after(check(), [0, bad], [9_999, bad]).result).toBeNull();
  expect(after(check(), [10_000, bad]).result).toMatchObject({ alive: false, consecutiveFailures: 1 });
  expect(after(check(), [0, good], [1, bad]).result).toMatchObject({ alive: false, consecutiveFailures: 1 });
});

test('a check is exhausted at failure N, not after it', () => {
  const spec = check({ graceMs: 0, maxConsecutiveFailures: 2 });
  expect(after(spec, [1, bad]).result?.exhausted).toBe(false);
  expect(after(spec, [1, bad], [2, bad]).result).toEqual({
    alive: false,
    consecutiveFailures: 2,
    exhausted: true,
    lastFailure: startedAt + 2,
    lastFailureCause: 'HTTP :80/health: status 503',
  });
});

test('with no limit a check is never exhausted', () => {
  const spec = check({ graceMs: 0, maxConsecutiveFailures: 0 });
  const many = Array.from({ length: 50 }, (_, index): [number, ProbeOutcome] => [index, bad]);
  expect(after(spec, ...many).result).toMatchObject({ consecutiveFailures: 50, exhausted: false });
});

test('a success clears the count and keeps what is remembered of the last failure', () => {
  const state = after(check({ graceMs: 0 }), [1, good], [2, bad], [3, bad], [4, good]);
  expect(state.result).toEqual({
    alive: true,
    consecutiveFailures: 0,
    exhausted: false,
    firstSuccess: startedAt + 1,
    lastSuccess: startedAt + 4,
    lastFailure: startedAt + 3,
    lastFailureCause: 'HTTP :80/health: status 503',
  });
});

test('what says nothing about the app changes nothing', () => {
  const state = after(check(), [1, good]);
  expect(afterProbe(check(), state, { kind: 'ignored' }, startedAt, startedAt + 2)).toBe(state);
});

test('an app that is starting is probed after ever longer pauses up to the interval', () => {
  const spec = check();
  const pauses = [1, 2, 3, 4, 5, 6].map((forgiven) => pauseMs(spec, { result: null, forgiven }));
  expect(pauses).toEqual([500, 1000, 2000, 4000, 5000, 5000]);
  expect(pauseMs(spec, after(spec, [0, bad], [1, good]))).toBe(5000);
  expect(pauseMs(spec, untriedCheck)).toBe(5000);
});

test('a task is well when all of its checks are, and not as soon as one is not', () => {
  const [well, ill] = [after(check(), [1, good]).result, after(check(), [20_000, bad]).result];
  expect(healthOf([])).toBeUndefined();
  expect(healthOf([well, null])).toBeUndefined();
  expect(healthOf([well, well])).toBe(true);
  expect(healthOf([null, ill])).toBe(false);
});

test('a first result, a change and each failure are news; one more success is not', () => {
  const spec = check({ graceMs: 0 });
  const one = after(spec, [1, good]).result;
  const two = after(spec, [1, good], [2, good]).result;
  const ill = after(spec, [1, good], [2, bad]).result;
  const worse = after(spec, [1, good], [2, bad], [3, bad]).result;
  expect(isHealthNews([null], [one])).toBe(true);
  expect(isHealthNews([one], [two])).toBe(false);
  expect(isHealthNews([one], [ill])).toBe(true);
  expect(isHealthNews([ill], [worse])).toBe(true);
  expect(isHealthNews([], [])).toBe(false);
});

test('an endless row of failures is told less and less often', () => {
  const row = (failures: number) => [
    { alive: false, consecutiveFailures: failures, exhausted: false, lastFailure: failures },
  ];
  const told = Array.from({ length: 100 }, (_, index) => index + 2).filter((count) =>
    isHealthNews(row(count - 1), row(count)),
  );
  expect(told).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 32, 64]);
});

const running = (checks: readonly CheckSpec[], changes: Partial<TaskSpec> = {}): TaskRecord => {
  const spec = { ...taskSpec(changes), healthChecks: [...checks] };
  const task = { taskId: taskId(spec.taskId), spec, options: { hostConfig: {}, sandbox: {} } };
  return { ...newRecord(task as TaskRecord['task'], startedAt), app: 'running', startedAt };
};

test('the results travel with TASK_RUNNING, and the message names the check that fails', () => {
  const record = reduce(running([check({ graceMs: 0 })]), {
    kind: 'probed',
    check: 0,
    outcome: bad,
    at: startedAt + 5,
  });
  const report = reportOf(record);
  expect(report.message).toContain('unhealthy (1 in a row), HTTP :80/health: status 503');
  const stamp = {
    agentId: agentId('a'),
    executorId: executorId('e'),
    uuid: new Uint8Array([1]),
    nowMs: startedAt,
  };
  const status = toTaskStatus(record.task.taskId, report, stamp, record);
  expect(status.healthy).toBe(false);
  expect(JSON.parse(new TextDecoder().decode(status.data))).toMatchObject({
    health: [{ alive: false, consecutiveFailures: 1 }],
  });
});

test('news of health is no change of state', () => {
  const before = running([check()]);
  const healthy = reduce(before, { kind: 'probed', check: 0, outcome: good, at: startedAt + 1 });
  const still = reduce(healthy, { kind: 'probed', check: 0, outcome: good, at: startedAt + 2 });
  expect(changeOf(reportOf(before), reportOf(healthy))).toBe('health');
  expect(changeOf(reportOf(healthy), reportOf(still))).toBe('none');
});

test('of news of health that waits for an acknowledgement only the newest is sent', () => {
  const updates = new TaskUpdates();
  const update = (byte: number) => ({
    task_id: { value: 't' },
    state: 'TASK_RUNNING' as const,
    uuid: new Uint8Array([byte]),
  });
  expect(updates.add(update(1), 'state', 0)).toBe(true);
  expect(updates.add(update(2), 'health', 0)).toBe(false);
  expect(updates.add(update(3), 'health', 0)).toBe(false);
  expect(updates.acknowledge('t', new Uint8Array([1]), 0)).toEqual(update(3));
});

/** Probes of one record under a clock of their own; `answers` are used up in order, then successes come. */
function probing(record: TaskRecord, answers: (ProbeOutcome | Error)[]) {
  const clock = new ManualClock(startedAt);
  const asked: { readonly at: number; readonly address: string }[] = [];
  let current = record;
  const probes = new TaskProbes({
    clock,
    log: recordingLogger(),
    prober: {
      probe: async (_probe, { address }) => {
        asked.push({ at: clock.now() - startedAt, address });
        const answer = answers.shift() ?? good;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    onOutcome: (name, outcome) => {
      current = reduce(
        current,
        name === 'readiness'
          ? { kind: 'readiness-probed', outcome }
          : { kind: 'probed', check: name, outcome, at: clock.now() },
      );
      probes.follow(current);
    },
  });
  const advance = async (ms: number) => {
    for (let passed = 0; passed <= ms; passed += 500) {
      clock.advance(passed === 0 ? 0 : 500);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  };
  return { probes, asked, advance, record: () => current };
}

test('probes begin after the delay, follow the pauses, and end with the app', async () => {
  const bench = probing(running([check({ delayMs: 1000 })]), [bad]);
  bench.probes.follow(bench.record());
  await bench.advance(12_000);
  expect(bench.asked.map(({ at }) => at)).toEqual([1000, 1500, 6500, 11_500]);
  bench.probes.follow(reduce(bench.record(), { kind: 'kill', graceMs: 1000, at: startedAt }));
  await bench.advance(20_000);
  expect(bench.asked).toHaveLength(4);
});

test('an app that does not run yet is not probed', async () => {
  const bench = probing({ ...running([check()]), app: 'created' }, []);
  bench.probes.follow(bench.record());
  await bench.advance(5000);
  expect(bench.asked).toEqual([]);
});

test('a probe that could not be made is not held against the app, and the next one is made', async () => {
  const bench = probing(running([check({ graceMs: 0 })]), [new Error('Docker does not answer')]);
  bench.probes.follow(bench.record());
  await bench.advance(1000);
  expect(bench.record().health[0]?.result).toBeNull();
  await bench.advance(5000);
  expect(bench.record().health[0]?.result?.alive).toBe(true);
});

test('readiness is asked for until the first success, told once, and stays', async () => {
  const { probe } = check();
  const bench = probing(running([], { readinessCheck: { probe, intervalMs: 2000, timeoutMs: 1000 } }), [
    bad,
    bad,
  ]);
  const before = reportOf(bench.record());
  bench.probes.follow(bench.record());
  await bench.advance(20_000);
  expect(bench.asked.map(({ at }) => at)).toEqual([0, 2000, 4000]);
  expect(before.ready).toBe(false);
  expect(changeOf(before, reportOf(bench.record()))).toBe('readiness');
});
