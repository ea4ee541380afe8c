import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TaskStatus } from '../../proto/mesos.gen.ts';
import { readExecutorConfig } from '../../executor/config.ts';
import type { Containers } from '../../executor/core/tasks/containers.ts';
import type { Host } from '../../executor/host.ts';
import { startTasks, type Tasks } from '../../executor/serve.ts';
import { ExecutorLives } from '../../executor/tasks/executor-lives.ts';
import { TaskReporter } from '../../executor/tasks/task-reporter.ts';
import { agentId, executorId } from '../../src/model/ids.ts';
import { Scope } from '../../src/runtime/scope.ts';
import { FakeFabric, filesIn, taskInfo, taskSpec } from '../support/executor-tasks.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const log = recordingLogger();
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** A Docker that has nothing and answers nothing else. */
const hangingDocker: Partial<Containers> = {
  list: () => Promise.resolve([]),
  hasImage: () => never(),
  create: () => never(),
  remove: () => never(),
  inspect: () => never(),
  async *deaths(onOpen, signal) {
    onOpen();
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    yield* [];
  },
};

let stateDir: string;
let scope: Scope;
let tasks: Tasks;
let updates: TaskStatus[];

beforeEach(async () => {
  stateDir = await mkdtemp(path.join(os.tmpdir(), 'ppu-serve-'));
  scope = new Scope(log);
  updates = [];
  const clock = new ManualClock();
  const executor = executorId('executor-1');
  const lives = await ExecutorLives.begin(stateDir, executor);
  scope.defer('life', () => lives.end());
  const fabric = Object.assign(new FakeFabric(), { setLeader: () => undefined });
  const containers = hangingDocker as Containers;
  const surroundings = { hostKey: 'h', agentId: agentId('agent-1'), runId: lives.runId };
  const tools = { containers, fabric, files: filesIn(stateDir), surroundings, sandboxImage: 'pause' };
  tasks = startTasks({
    host: { tools, fabric, lives } as unknown as Host,
    config: readExecutorConfig({}),
    sandboxDir: stateDir,
    reporter: new TaskReporter({
      agentId: agentId('agent-1'),
      executorId: executor,
      clock,
      log,
      send: (status) => void updates.push(status),
    }),
    clock,
    log,
    scope,
    onIdle: () => undefined,
    onAbandoned: () => undefined,
  });
});

afterEach(async () => {
  await scope.close();
  await rm(stateDir, { recursive: true, force: true });
});

const files = (): Promise<readonly string[]> => readdir(path.join(stateDir, 'executors'));

test('an executor that ends with a task still there leaves its file to the undertaker', async () => {
  tasks.launch(taskInfo(taskSpec()));
  tasks.killAll(0);
  await scope.close();
  expect(await files()).toHaveLength(1);
});

test('an executor that ends without tasks leaves nothing to the undertaker', async () => {
  await scope.close();
  expect(await files()).toEqual([]);
});

test('a launch that meets an executor that is ending is given back, which is no failure of the app', () => {
  tasks.killAll(0);
  tasks.launch(taskInfo(taskSpec()));
  expect(updates.map(({ state, message }) => [state, message])).toEqual([
    ['TASK_DROPPED', 'the executor is ending'],
  ]);
});
