import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { create } from 'axios';
import type { TaskInfo } from '../../proto/mesos.gen.ts';
import { frameworkInfo } from '../../scheduler/driver/mesos/framework-info.ts';
import { startDevMesos, type DevMesos } from '../../src/devcluster/mesos/dev-mesos.ts';
import { RecordDecoder } from '../../src/mesos/recordio.ts';
import { frameworkId, type AgentId } from '../../src/model/ids.ts';
import { taskSpecSchema, type SchedulerAccess } from '../../src/model/task-spec.ts';
import { answer, FakeMesos, FakeStream } from '../support/fake-mesos.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { schedulerProgram, SchedulerProcess } from '../support/scheduler-process.ts';

let program: string;
let directory: string;
let mesos: DevMesos;
let agent: AgentId;
let launched: TaskInfo[];
const children: SchedulerProcess[] = [];

beforeAll(async () => {
  program = await schedulerProgram();
});

afterAll(async () => {
  await rm(program, { force: true });
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pp-scheduler-'));
  mesos = await startDevMesos({ log: recordingLogger(), timings: { allocationIntervalMs: 50 } });
  const resources = { cpus: 4, mem: 4_096, disk: 1_000 };
  launched = [];
  agent = await mesos.addAgent({
    hostname: 'h1',
    resources,
    workDir: directory,
    executor: 'simulated',
    onSimulatedLaunch: (task) => launched.push(task),
  });
});

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.end('SIGKILL')));
  await mesos.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(args: readonly string[] = [], masters = mesos.urls): Promise<SchedulerProcess> {
  const child = await SchedulerProcess.spawn({ program, directory, masters, args });
  children.push(child);
  return child;
}

/** Runs the program to its end: exit code and what it wrote. */
async function run(args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = await once(child, 'close');
  return { code: Number(code), output };
}

const http = create({ proxy: false, timeout: 10_000, validateStatus: () => true });

test('help is printed, and a flag that is not known is refused with code 112', async () => {
  const help = await run(['--help']);
  expect(help.code).toBe(0);
  expect(help.output).toContain('--state-dir');
  const unknown = await run(['--master', 'm:5050', '--colour', 'red']);
  expect(unknown.code).toBe(112);
  expect(unknown.output).toContain('--colour');
  const without = await run([]);
  expect(without.code).toBe(112);
  expect(without.output).toContain('--master');
});

test('a port that is taken ends the start with code 111 and names the address', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = holder.address() as { port: number };
    const child = await start(['--listen', `127.0.0.1:${port}`]);
    expect(await child.exit).toBe(111);
    expect(JSON.stringify(child.lines)).toContain(`cannot listen on 127.0.0.1:${port}`);
  } finally {
    holder.close();
  }
});

/** Speaks to the master in the name of the scheduler's framework, as a second scheduler would. */
async function subscribeAs(id: string): Promise<{ streamId: string; body: Readable }> {
  const info = frameworkInfo(
    {
      user: 'root',
      frameworkName: 'patchpanel',
      role: '*',
      hostname: 'x',
      webUiUrl: 'http://x',
      failoverTimeoutSeconds: 60,
    },
    frameworkId(id),
  );
  const call = { type: 'SUBSCRIBE', framework_id: { value: id }, subscribe: { framework_info: info } };
  const subscribed = await http.post<Readable>(`${mesos.url}/api/v1/scheduler`, call, {
    responseType: 'stream',
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
  });
  subscribed.data.on('error', () => undefined).resume();
  return { streamId: String(subscribed.headers['mesos-stream-id']), body: subscribed.data };
}

test('it yields to a scheduler that took its framework over, and does not begin anew when that was removed', async () => {
  const child = await start();
  const { frameworkId: id } = await child.logged('subscribed to Mesos');
  const { streamId, body } = await subscribeAs(String(id));
  expect(await child.exit).toBe(103);
  const teardown = await http.post(
    `${mesos.url}/api/v1/scheduler`,
    { type: 'TEARDOWN', framework_id: { value: id } },
    { headers: { 'Mesos-Stream-Id': streamId, 'Content-Type': 'application/json' } },
  );
  expect(teardown.status).toBe(202);
  body.destroy();
  const again = await start();
  expect(await again.exit).toBe(110);
});

test('it subscribes suppressed as long as it has nothing to launch, also to the next master', async () => {
  const master = await FakeMesos.start('SchedulerCall');
  try {
    const child = await start([], [`http://${master.address}`]);
    const suppressed = async (): Promise<readonly [readonly string[], FakeStream]> => {
      let request = await master.requests.next();
      for (; request.call.type !== 'SUBSCRIBE'; request = await master.requests.next()) answer(request, 202);
      const stream = new FakeStream(request, 'SchedulerEvent', 'S');
      stream.send({
        type: 'SUBSCRIBED',
        subscribed: { framework_id: { value: 'F' }, heartbeat_interval_seconds: 15 },
      });
      return [request.call.subscribe?.suppressed_roles ?? [], stream];
    };
    const [idle, first] = await suppressed();
    expect(idle).toEqual(['*']);
    await child.logged('subscribed to Mesos');
    first.cut();
    const [idleAgain, second] = await suppressed();
    expect(idleAgain).toEqual(['*']);
    const app = {
      id: '/web',
      cpus: 0.1,
      mem: 32,
      cmd: 'sleep 1',
      container: { docker: { image: 'busybox' } },
    };
    expect((await child.api.post('/v2/apps', app)).status).toBe(201);
    second.cut();
    const [busy] = await suppressed();
    expect(busy).toEqual([]);
  } finally {
    await master.close();
  }
});

/** The records of a view stream in JSON, one after another. */
async function* viewRecords(body: Readable): AsyncGenerator<Record<string, unknown>> {
  const decoder = new RecordDecoder();
  for await (const chunk of body as AsyncIterable<Buffer>) {
    for (const record of decoder.push(chunk)) yield JSON.parse(record.toString()) as Record<string, unknown>;
  }
}

/** What a task brings its executor to be let in by. */
function accessOf(task: TaskInfo | undefined): SchedulerAccess {
  const spec = taskSpecSchema.parse(JSON.parse(new TextDecoder().decode(task?.data)));
  if (spec.schedulerAccess === undefined) throw new Error('the task brings no access');
  return spec.schedulerAccess;
}

test('a host reports, gets its view, acknowledges it and learns that everybody knows', async () => {
  const child = await start();
  await child.logged('the API listens');
  await child.logged('subscribed to Mesos');
  const container = { type: 'DOCKER', docker: { image: 'busybox' } };
  const networks = [{ mode: 'container', name: 'default' }];
  const app = { id: '/web', cpus: 0.1, mem: 32, cmd: 'sleep 1', container, networks };
  expect((await child.api.post('/v2/apps', app)).status).toBe(201);
  await mesos.waitFor(
    'a running task',
    ({ agents }) =>
      agents.some(({ executors }) => executors.some(({ tasks }) => tasks[0]?.state === 'TASK_RUNNING')),
    20_000,
  );
  const [executor] = mesos.state().agents[0]!.executors;
  const headers = { Authorization: `Bearer ${accessOf(launched[0]).token}` };
  const facts = {
    agent_id: agent,
    executor_id: executor!.executorId,
    hostname: 'h1',
    underlay_ip: '10.9.9.1',
    underlay_mtu: 1500,
    datapath: 'netdev',
    ovs_version: '3.1.0',
    docker_version: '20.10',
  };
  expect((await child.api.post(`/v1/hosts/${agent}/report`, { facts })).status).toBe(401);
  expect((await child.api.post(`/v1/hosts/S9/report`, { facts }, { headers })).status).toBe(401);
  expect((await child.api.get(`/v1/hosts/${agent}/view`)).status).toBe(401);
  expect((await child.api.post(`/v1/hosts/${agent}/report`, { facts }, { headers })).status).toBe(202);
  const stream = await child.api.get<Readable>(`/v1/hosts/${agent}/view`, {
    responseType: 'stream',
    headers: { ...headers, Accept: 'application/json' },
  });
  const records = viewRecords(stream.data);
  const { value: first } = await records.next();
  expect(first).toMatchObject({
    snapshot: {
      version: { term: 1 },
      hosts: [{ id: agent, hostname: 'h1', underlay_ip: '10.9.9.1' }],
      networks: [{ name: 'default', vni: 7, gateway: '10.32.0.1', mtu: 1450 }],
      endpoints: [{ slot: '/web#0', epoch: 1, host: agent, network: 'default', state: 'ACTIVE' }],
    },
  });
  const applied = (first as { snapshot: { version: object } }).snapshot.version;
  expect((await child.api.post(`/v1/hosts/${agent}/report`, { applied }, { headers })).status).toBe(202);
  let { value: second } = await records.next();
  // That the task runs may be news to the scheduler only now, and a heartbeat may come between.
  while (second !== undefined && !('converged' in second)) ({ value: second } = await records.next());
  expect(second).toEqual({ converged: { endpoint: { slot: '/web#0', epoch: 1 }, state: 'ACTIVE' } });
  expect(await child.end('SIGTERM')).toBe(0);
  // The stream breaks with the scheduler; the host goes on with what it has.
  await expect(records.next()).rejects.toThrow();
});
