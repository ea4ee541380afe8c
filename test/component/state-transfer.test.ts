import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startDevMesos, type DevMesos } from '../../src/devcluster/mesos/dev-mesos.ts';
import { builtCommandLine, CommandRun, type CommandResult } from '../support/command-line.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { schedulerProgram, SchedulerProcess } from '../support/scheduler-process.ts';

let program: string;
let directory: string;
let mesos: DevMesos;
let scheduler: SchedulerProcess | undefined;

beforeAll(async () => {
  program = await schedulerProgram();
});

afterAll(async () => {
  await rm(program, { force: true });
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pp-state-'));
  mesos = await startDevMesos({ log: recordingLogger(), timings: { allocationIntervalMs: 50 } });
  await mesos.addAgent({
    hostname: 'h1',
    resources: { cpus: 8, mem: 8_192, disk: 10_000 },
    workDir: join(directory, 'h1'),
    executor: 'simulated',
  });
});

afterEach(async () => {
  await scheduler?.end('SIGKILL');
  await mesos.close();
  await rm(directory, { recursive: true, force: true });
});

const start = async (): Promise<SchedulerProcess> => {
  const args = ['--min-revive-interval', '0.2'];
  scheduler = await SchedulerProcess.start({ program, directory, masters: mesos.urls, args });
  return scheduler;
};

const state = (...args: string[]): Promise<CommandResult> =>
  new CommandRun(builtCommandLine, ['state', ...args], {
    env: { PATCHPANEL_STATE_DIR: join(directory, 'state') },
  }).result;

const running = (): string[] =>
  mesos
    .state()
    .agents.flatMap(({ executors }) => executors.flatMap(({ tasks }) => tasks.map(({ taskId }) => taskId)))
    .sort();

test('a state that is lost is restored from its export: the same framework, its tasks untouched', async () => {
  const first = await start();
  const app = { id: '/web', instances: 3, cpus: 0.1, mem: 32, cmd: 'sleep 1000' };
  const container = { type: 'DOCKER', docker: { image: 'busybox' } };
  await first.api.post('/v2/apps', { ...app, container, networks: [{ mode: 'container' }] });
  await mesos.waitFor('three tasks', () => running().length === 3, 30_000);
  const before = running();
  const info = await first.api.get<{ frameworkId: string }>('/v2/info');
  const file = join(directory, 'backup.state');

  const tooEarly = await state('export', file);
  expect([tooEarly.code, tooEarly.stderr]).toEqual([5, expect.stringContaining('another scheduler runs on')]);
  expect(await first.end('SIGTERM')).toBe(0);
  const exported = await state('export', file);
  expect([exported.code, exported.stdout]).toEqual([0, expect.stringMatching(/^\d+ records in /)]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await rm(join(directory, 'state'), { recursive: true });
  expect((await state('import', file)).code).toBe(0);

  const second = await start();
  expect((await second.api.get<{ frameworkId: string }>('/v2/info')).data.frameworkId).toBe(
    info.data.frameworkId,
  );
  // It knows its tasks: one more is one more.
  await second.api.put('/v2/apps//web?force=true', { instances: 4 });
  await mesos.waitFor('four tasks', () => running().length === 4, 30_000);
  expect(running()).toEqual(expect.arrayContaining(before));
});
