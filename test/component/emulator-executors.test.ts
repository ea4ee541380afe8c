import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ExecutorInfo, TaskInfo, TaskStatus } from '../../proto/mesos.gen.ts';
import type { Timings } from '../../src/devcluster/mesos/options.ts';
import { mesosCodec } from '../../src/mesos/codec.ts';
import { executorScript, Replay } from '../support/emulator-replay.ts';
import { request } from '../support/emulator-scheduler.ts';
import { readCaptured } from '../support/mesos-captures.ts';

let replay: Replay;
const toClose: (() => void)[] = [];

afterEach(async () => {
  await replay.close();
  for (const close of toClose.splice(0)) close();
});

async function start(timings: Partial<Timings> = {}): Promise<void> {
  replay = await Replay.start(
    'executor-json',
    timings,
    {},
    { executorEnvironment: { OVS_RUNDIR: '/run/x' } },
  );
  await replay.scheduler.subscribe();
}

const scalar = (name: string, value: number) => ({
  name,
  type: 'SCALAR' as const,
  scalar: { value },
  allocation_info: { role: '*' },
});

/** Launches one task on an executor of its own. */
async function launch(taskId: string, what: string, executor: Partial<ExecutorInfo> = {}): Promise<void> {
  const info: TaskInfo = {
    name: taskId,
    task_id: { value: taskId },
    agent_id: { value: replay.agentId },
    resources: [scalar('cpus', 0.1), scalar('mem', 32)],
    data: Buffer.from(what),
    executor: {
      executor_id: { value: `e-${taskId}` },
      type: 'CUSTOM',
      command: { value: `exec ${process.execPath} ${executorScript}` },
      resources: [scalar('cpus', 0.1), scalar('mem', 64)],
      ...executor,
    },
  };
  const reply = await replay.scheduler.call({
    type: 'ACCEPT',
    accept: {
      offer_ids: [{ value: await replay.nextOffer() }],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [info] } }],
      filters: { refuse_seconds: 0 },
    },
  });
  expect(reply.status).toBe(202);
}

const ended = (taskId: string): Promise<TaskStatus> =>
  replay.scheduler.see(
    taskId,
    ({ state }) => !['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'].includes(state),
  );

const running = (taskId: string): Promise<TaskStatus> =>
  replay.scheduler.see(taskId, ({ state }) => state === 'TASK_RUNNING');

const failure = () =>
  replay.scheduler.stream!.next('the failure', (events) => events.flatMap((event) => event.failure ?? [])[0]);

const environmentOf = (variables: Record<string, string>): ExecutorInfo['command'] => ({
  value: `exec ${process.execPath} ${executorScript}`,
  environment: { variables: Object.entries(variables).map(([name, value]) => ({ name, value })) },
});

describe('an executor', () => {
  test('gets the recorded environment, a sandbox of its own and files for its output', async () => {
    await start();
    await launch('t', 'run', {
      shutdown_grace_period: { nanoseconds: 3e9 },
      command: environmentOf({ PATH: '/usr/local/bin:/usr/bin:/bin', OUT: 'x' }),
    });
    await running('t');
    const { directory, containerId } = replay.mesos.state().agents[0]!.executors[0]!;
    const environment = JSON.parse(readFileSync(path.join(directory, 'stdout'), 'utf8')) as Record<
      string,
      string
    >;
    const recorded = readCaptured('executor-json/environment.json') as Record<string, string>;
    // The shell adds these.
    const { OUT, OVS_RUNDIR, PATH, PWD, SHLVL: _level, _: _self, OLDPWD: _old, ...own } = environment;
    expect(Object.keys(own).sort()).toEqual(Object.keys(recorded).sort());
    expect({ OUT, OVS_RUNDIR, PATH, PWD }).toEqual({
      OUT: 'x',
      OVS_RUNDIR: '/run/x',
      PATH: '/usr/local/bin:/usr/bin:/bin',
      PWD: directory,
    });
    for (const name of [
      'GRACE_PERIOD',
      'BACKOFF_MAX',
      'CHECKPOINT',
      'RECOVERY_TIMEOUT',
      'PORT',
      'COMMAND_EXECUTOR',
    ]) {
      for (const key of Object.keys(recorded).filter((one) => one.endsWith(name))) {
        const expected = key === 'MESOS_SUBSCRIPTION_BACKOFF_MAX' ? '3secs' : recorded[key];
        expect({ key, value: own[key] }).toEqual({ key, value: expected });
      }
    }
    expect(own['MESOS_DIRECTORY']).toBe(
      path.join(
        replay.directory,
        `slaves/${replay.agentId}/frameworks/${replay.scheduler.frameworkId}/executors/e-t/runs/${containerId}`,
      ),
    );
    expect(readlinkSync(path.join(path.dirname(directory), 'latest'))).toBe(containerId);
    expect(statSync(path.join(directory, 'stderr')).isFile()).toBe(true);
  });

  test('leads a process group of which nothing is left when it ends', async () => {
    await start();
    const command = { value: `sleep 1000 & echo $! > child; exec ${process.execPath} ${executorScript}` };
    await launch('t', 'run', { command });
    await running('t');
    const { directory, pid } = replay.mesos.state().agents[0]!.executors[0]!;
    const child = Number(readFileSync(path.join(directory, 'child'), 'utf8'));
    expect(groupOf(child)).toBe(pid);
    expect(replay.mesos.killExecutor(replay.agentId)).toBe(1);
    expect(await ended('t')).toMatchObject({
      state: 'TASK_FAILED',
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: 'Executor terminated',
    });
    expect(await failure()).toMatchObject({ executor_id: { value: 'e-t' }, status: 9 });
    expect(groupOf(child)).toBeUndefined();
  });

  test('that crashes shows its exit code as waitpid packs it', async () => {
    await start();
    await launch('t', 'crash');
    await ended('t');
    expect(await failure()).toMatchObject({ status: 3 << 8 });
  });

  test('that never subscribes is destroyed', async () => {
    await start({ executorRegistrationMs: 300 });
    await launch('t', 'run', { command: environmentOf({ NEVER_SUBSCRIBE: '1' }) });
    expect(await ended('t')).toMatchObject({ reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT' });
  });

  test('that ignores SHUTDOWN is killed after its grace period', async () => {
    await start();
    await launch('t', 'run', {
      shutdown_grace_period: { nanoseconds: 2e8 },
      command: environmentOf({ STUBBORN: '1' }),
    });
    await running('t');
    await replay.scheduler.call({
      type: 'SHUTDOWN',
      shutdown: { agent_id: { value: replay.agentId }, executor_id: { value: 'e-t' } },
    });
    expect(await failure()).toMatchObject({ status: 9 });
    expect(await ended('t')).toMatchObject({ state: 'TASK_FAILED' });
  });

  test('is gone with its framework when the scheduler does not come back in time', async () => {
    replay = await Replay.start('executor-json');
    const stream = await replay.scheduler.subscribe({ failover_timeout: 0.2 });
    await launch('t', 'run');
    await running('t');
    stream.drop();
    await replay.mesos.waitFor('the end', ({ agents }) => agents[0]!.executors.length === 0, 8_000);
    expect(replay.mesos.state().frameworks).toEqual([]);
  });

  test('is refused with the recorded words when its calls are wrong', async () => {
    await start();
    await launch('t', 'run');
    await running('t');
    const url = `http://${replay.mesos.state().agents[0]!.endpoint}/slave(1)/api/v1/executor`;
    const calls = readCaptured('executor-json/calls.json') as { id: string; response_body: string }[];
    const ids = {
      framework_id: { value: replay.scheduler.frameworkId ?? '' },
      executor_id: { value: 'e-t' },
    };
    const say = (call: object) =>
      request(url, {
        headers: { 'Content-Type': 'application/json' },
        body: Buffer.from(JSON.stringify(call)),
      });
    for (const id of ['12', '13']) {
      const recorded = mesosCodec.decode('ExecutorCall', replay.bodyOf(id), 'json');
      const { uuid, ...status } = recorded.update!.status;
      const bytes = uuid === undefined ? {} : { uuid: Buffer.from(uuid).toString('base64') };
      const call = {
        ...recorded,
        ...ids,
        update: { status: { ...status, ...bytes, executor_id: ids.executor_id } },
      };
      const { response_body: body } = calls.find((one) => one.id === id)!;
      expect(await say(call)).toMatchObject({ status: 400, body });
    }
    const heartbeat = { ...ids, type: 'HEARTBEAT' };
    expect(await say(heartbeat)).toMatchObject({ status: 202, body: '' });
    const refusals = [
      [{ ...heartbeat, framework_id: { value: 'x' } }, 400, 'Framework cannot be found'],
      [{ ...heartbeat, executor_id: { value: 'x' } }, 400, 'Executor cannot be found'],
      [
        { ...ids, type: 'SUBSCRIBE' },
        400,
        "Failed to validate Executor::Call: Expecting 'subscribe' to be present",
      ],
      [{ ...ids }, 400, "Failed to validate Executor::Call: Expecting 'type' to be present"],
    ] as const;
    for (const [call, status, body] of refusals) expect(await say(call)).toMatchObject({ status, body });
  });
});

describe('the fetcher', () => {
  test('unpacks archives, sets modes and names, and downloads a cached URI once', async () => {
    await start();
    const source = path.join(replay.directory, 'source');
    mkdirSync(source);
    writeFileSync(path.join(source, 'inside'), 'packed');
    execFileSync('tar', ['-czf', path.join(source, 'a.tar.gz'), '-C', source, 'inside']);
    const served: string[] = [];
    const server = http.createServer((incoming, response) => {
      served.push(`${incoming.method} ${incoming.url}`);
      const bytes = readFileSync(path.join(source, path.basename(incoming.url ?? '')));
      response.setHeader('Content-Length', bytes.length);
      response.end(bytes);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    toClose.push(() => server.close());
    const { port } = server.address() as { port: number };
    const uris = [
      { value: `http://127.0.0.1:${port}/a.tar.gz`, cache: true },
      { value: `file://${source}/inside`, output_file: 'sub/program', executable: true },
    ];
    for (const task of ['a', 'b']) {
      await launch(task, 'run', {
        command: { value: `exec ${process.execPath} ${executorScript}`, uris },
      });
      await running(task);
    }
    for (const { directory } of replay.mesos.state().agents[0]!.executors) {
      expect(readFileSync(path.join(directory, 'inside'), 'utf8')).toBe('packed');
      expect(statSync(path.join(directory, 'sub/program')).mode & 0o777).toBe(0o755);
    }
    expect(served).toEqual(['HEAD /a.tar.gz', 'GET /a.tar.gz']);
  });

  test.each([
    ['a file that is missing', { uris: [{ value: '/no/such/file' }] }, /no such file/],
    ['a scheme that it does not know', { uris: [{ value: 'hdfs://x/y' }] }, /only http, https and file/],
    [
      'a name outside the sandbox',
      { uris: [{ value: '/etc/hostname', output_file: '../x' }] },
      /inside the sandbox/,
    ],
    ['a user who does not exist', { user: 'nobody-here' }, /user information for 'nobody-here'/],
  ])('fails the launch for %s', async (_what, command, message) => {
    await start();
    await launch('t', 'run', { command: { value: 'true', ...command } });
    const status = await ended('t');
    expect(status).toMatchObject({ state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
    expect(status.message).toMatch(message);
  });
});

/** The process group of a live process. */
function groupOf(pid: number): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[2]);
  } catch {
    return undefined;
  }
}
