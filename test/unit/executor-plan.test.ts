import { expect, test } from '@jest/globals';
import { readLaunch } from '../../executor/core/tasks/desired.ts';
import { nextWake, plan } from '../../executor/core/tasks/plan.ts';
import { changeOf, reportOf, toTaskStatus } from '../../executor/core/tasks/status.ts';
import { reduce, type StepOutcome, type TaskEvent } from '../../executor/core/tasks/events.ts';
import { isGone, newRecord, type StepKind, type TaskRecord } from '../../executor/core/tasks/record.ts';
import { agentId, executorId, taskId } from '../../src/model/ids.ts';
import type { TaskSpec } from '../../src/model/task-spec.ts';
import { taskInfo, taskSpec } from '../support/executor-tasks.ts';

const t0 = 1_700_000_000_000;

function launched(changes: Partial<TaskSpec> = {}): TaskRecord {
  const launch = readLaunch(taskInfo(taskSpec(changes)));
  if (launch.kind === 'refused') throw new Error(launch.message);
  return newRecord(launch.task, t0);
}

const after = (record: TaskRecord, ...events: TaskEvent[]): TaskRecord => events.reduce(reduce, record);
const done = (step: StepKind, outcome: StepOutcome = {}, at = t0): TaskEvent => ({
  kind: 'step-done',
  step,
  tookMs: 5,
  at,
  outcome,
});
const failed = (step: StepKind, message: string): TaskEvent => ({
  kind: 'step-failed',
  step,
  failure: { message },
  at: t0,
});
const began = (step: StepKind): TaskEvent => ({ kind: 'step-began', step });
const kill = (graceMs: number): TaskEvent => ({ kind: 'kill', graceMs, at: t0 });
const exit = (exitCode: number, oomKilled = false): TaskEvent => ({
  kind: 'app-exited',
  exitCode,
  oomKilled,
});
const kinds = (record: TaskRecord, now = t0) => plan(record, now).map(({ kind }) => kind);

const up: TaskEvent[] = [
  done('fetch-image'),
  done('create-sandbox'),
  done('start-sandbox', { pid: 77 }),
  done('create-app'),
  done('attach'),
  done('await-converged'),
  done('start-app', {}, t0 + 40),
];
const running = () => after(launched(), ...up);

test('the image is fetched and the sandbox made at the same time', () => {
  expect(kinds(launched())).toEqual(['fetch-image', 'create-sandbox']);
});

test('the container of the app is made while the sandbox starts', () => {
  const record = after(launched(), done('fetch-image'), done('create-sandbox'));
  expect(kinds(record)).toEqual(['start-sandbox', 'create-app']);
});

test('a step that is under way is not begun again', () => {
  expect(kinds(after(launched(), began('fetch-image')))).toEqual(['create-sandbox']);
});

test('the app starts only when the network is ready', () => {
  const almost = after(launched(), ...up.slice(0, 5));
  expect(kinds(almost)).toEqual(['await-converged']);
  expect(kinds(after(almost, done('await-converged')))).toEqual(['start-app']);
});

test('an app on the network of the host needs its image and nothing else', () => {
  const record = launched({ network: { mode: 'host' } });
  expect(kinds(record)).toEqual(['fetch-image']);
  expect(kinds(after(record, done('fetch-image')))).toEqual(['create-app']);
  expect(kinds(after(record, done('fetch-image'), done('create-app')))).toEqual(['start-app']);
});

test('files come before the image, whose credentials they may hold', () => {
  const item = { uri: 'http://files.example/a', extract: true, executable: false, cache: false };
  const record = launched({ fetch: [item] });
  expect(kinds(record)).toEqual(['fetch-files', 'create-sandbox']);
  const fetched = after(record, done('fetch-files'));
  expect(kinds(fetched)).toEqual(['fetch-image', 'create-sandbox']);
  expect(reportOf(after(record, failed('fetch-files', 'could not fetch it')))).toMatchObject({
    state: 'TASK_FAILED',
    message: 'could not fetch it',
  });
});

test('a running task needs nothing', () => {
  expect(kinds(running())).toEqual([]);
  expect(nextWake(running(), t0)).toBeUndefined();
});

test('a kill sends the signal once and SIGKILL when the grace period is over', () => {
  const stopping = after(running(), kill(3000));
  expect(kinds(stopping)).toEqual(['signal-app']);
  const signalled = after(stopping, done('signal-app'));
  expect(kinds(signalled)).toEqual([]);
  expect(nextWake(signalled, t0)).toBe(t0 + 3000);
  expect(kinds(signalled, t0 + 3000)).toEqual(['kill-app']);
  expect(kinds(after(signalled, done('kill-app')), t0 + 3000)).toEqual([]);
});

test('what still runs long after SIGKILL is sent it again, whatever the first was for', () => {
  const killed = [
    after(running(), kill(0), done('kill-app')),
    after(running(), { kind: 'port-lost', reason: 'gone' }, done('kill-app')),
  ];
  for (const record of killed) {
    const again = nextWake(record, t0)!;
    expect(again).toBeGreaterThan(t0);
    expect(kinds(record, again - 1)).toEqual([]);
    expect(kinds(record, again)).toEqual(['kill-app']);
    expect(kinds(after(record, began('kill-app')), again)).toEqual([]);
    expect(nextWake(after(record, exit(137)), t0)).toBeUndefined();
  }
});

test('a second kill shortens the grace period and never lengthens it', () => {
  const stopping = after(running(), kill(3000), done('signal-app'));
  expect(nextWake(after(stopping, kill(1000)), t0)).toBe(t0 + 1000);
  expect(nextWake(after(stopping, kill(9000)), t0)).toBe(t0 + 3000);
});

test('a kill before the start waits for steps under way and then removes everything', () => {
  const stopping = after(launched(), began('fetch-image'), began('create-sandbox'), kill(3000));
  expect(kinds(stopping)).toEqual([]);
  const idle = after(stopping, failed('fetch-image', 'cancelled'), done('create-sandbox'));
  expect(kinds(idle)).toEqual(['detach']);
  expect(kinds(after(idle, done('detach')))).toEqual(['remove-app', 'remove-sandbox']);
  expect(reportOf(idle)).toMatchObject({ state: 'TASK_KILLED', reason: 'REASON_TASK_KILLED_DURING_LAUNCH' });
});

test('a port goes before the containers, and then the task is gone', () => {
  const ended = after(running(), exit(0));
  expect(kinds(ended)).toEqual(['detach']);
  const detached = after(ended, done('detach'));
  expect(kinds(detached)).toEqual(['remove-app', 'remove-sandbox']);
  const gone = after(detached, done('remove-app'), done('remove-sandbox'));
  expect(isGone(gone)).toBe(true);
  expect(isGone(detached)).toBe(false);
});

test('a removal that fails is tried again later and later', () => {
  const ended = after(running(), exit(0), failed('detach', 'busy'));
  expect(kinds(ended)).toEqual([]);
  const first = nextWake(ended, t0) ?? 0;
  expect(kinds(ended, first)).toEqual(['detach']);
  const second = nextWake(after(ended, failed('detach', 'busy')), t0) ?? 0;
  expect(second).toBeGreaterThan(first);
});

test('a lost sandbox kills the app at once and is the reason that is told', () => {
  const record = after(running(), { kind: 'sandbox-lost' });
  expect(kinds(record)).toEqual(['kill-app']);
  expect(reportOf(record).state).toBe('TASK_RUNNING');
  expect(reportOf(after(record, done('kill-app'), exit(137)))).toEqual({
    state: 'TASK_FAILED',
    message: 'network sandbox lost',
  });
});

test('a sandbox that is removed on purpose is no loss', () => {
  const removed = after(running(), exit(0), done('detach'), done('remove-sandbox'));
  expect(reduce(removed, { kind: 'sandbox-lost' })).toBe(removed);
});

test('the first failure is the one that is told', () => {
  const record = after(launched(), failed('fetch-image', 'image x: no'), failed('create-sandbox', 'other'));
  expect(reportOf(record)).toMatchObject({ state: 'TASK_FAILED', message: 'image x: no' });
});

test('a port that is lost fails the task with the reason', () => {
  const record = after(running(), { kind: 'port-lost', reason: 'the veth is gone' });
  expect(reportOf(after(record, exit(137)))).toMatchObject({
    state: 'TASK_FAILED',
    message: 'network port lost: the veth is gone',
  });
});

test('an app that ends before Docker has answered its start is not running afterwards', () => {
  const record = after(launched(), ...up.slice(0, 6), began('start-app'), exit(3), done('start-app'));
  expect(reportOf(record)).toMatchObject({ state: 'TASK_FAILED', message: 'exited with status 3' });
});

test.each([
  [exit(0), 'TASK_FINISHED', undefined],
  [exit(1), 'TASK_FAILED', 'REASON_COMMAND_EXECUTOR_FAILED'],
  [exit(137, true), 'TASK_FAILED', 'REASON_CONTAINER_LIMITATION_MEMORY'],
  [exit(0, true), 'TASK_FINISHED', undefined],
] as const)('the end %j is told as %s', (event, state, reason) => {
  const report = reportOf(after(running(), event));
  expect(report.state).toBe(state);
  expect(report.reason).toBe(reason);
});

test('an app that ends after a kill was killed, whatever its exit status', () => {
  expect(reportOf(after(running(), kill(3000), exit(0)))).toEqual({
    state: 'TASK_KILLED',
    message: 'killed (exit status 0)',
  });
});

test('a kill that comes after the end changes nothing', () => {
  const ended = after(running(), exit(5));
  expect(reduce(ended, kill(0))).toBe(ended);
});

test('what a task says on its way: progress, then running with its address and what was late', () => {
  const pulling = after(launched(), { kind: 'progress', text: 'pulling x: 1 of 2 layers' });
  expect(reportOf(pulling)).toEqual({ state: 'TASK_STARTING', message: 'pulling x: 1 of 2 layers' });
  const late = after(
    launched(),
    ...up.slice(0, 5),
    done('await-converged', { note: 'one host is late' }),
    up[6]!,
  );
  expect(reportOf(late)).toEqual({
    state: 'TASK_RUNNING',
    message: 'running, 10.32.0.7 on default; one host is late',
  });
  expect(late.timings).toMatchObject({ totalMs: 40, sandboxMs: 10, attachMs: 5, convergeMs: 5 });
});

test('only news are told, and nothing after the end', () => {
  const starting = { state: 'TASK_STARTING', message: 'a' } as const;
  expect(changeOf(undefined, starting)).toBe('state');
  expect(changeOf(starting, starting)).toBe('none');
  expect(changeOf(starting, { ...starting, message: 'b' })).toBe('progress');
  expect(changeOf({ state: 'TASK_FINISHED', message: '' }, { state: 'TASK_FAILED', message: '' })).toBe(
    'none',
  );
});

test('an update carries the address and the timings of a running task', () => {
  const record = running();
  const stamp = { agentId: agentId('a'), executorId: executorId('e'), uuid: new Uint8Array(16), nowMs: 1500 };
  const status = toTaskStatus(taskId('t'), reportOf(record), stamp, record);
  expect(status).toMatchObject({ timestamp: 1.5, source: 'SOURCE_EXECUTOR', executor_id: { value: 'e' } });
  expect(status.container_status?.network_infos?.[0]?.ip_addresses?.[0]?.ip_address).toBe('10.32.0.7');
  expect(JSON.parse(new TextDecoder().decode(status.data))).toEqual(record.timings);
});

test('what a program says at length is told in short', () => {
  const stamp = { agentId: agentId('a'), executorId: executorId('e'), uuid: new Uint8Array(16), nowMs: 1500 };
  const report = { state: 'TASK_FAILED' as const, message: 'x'.repeat(100_000) };
  const { message } = toTaskStatus(taskId('t'), report, stamp);
  expect(message).toHaveLength(4096);
  expect(message?.endsWith('x…')).toBe(true);
});

test('a specification that is not understood is refused with the place', () => {
  const info = { ...taskInfo(taskSpec()), data: new TextEncoder().encode('{"schema":2}') };
  expect(readLaunch(info)).toMatchObject({
    kind: 'refused',
    message: expect.stringMatching(/wrong at schema/),
  });
  expect(readLaunch({ ...info, data: new Uint8Array([1]) })).toMatchObject({ kind: 'refused' });
});

test('a volume of the host needs an absolute path', () => {
  const volumes = [{ hostPath: 'data', containerPath: '/data', mode: 'RW' as const }];
  expect(readLaunch(taskInfo(taskSpec({ volumes })))).toMatchObject({
    kind: 'refused',
    message: 'the volume data needs an absolute path on the host',
  });
});
