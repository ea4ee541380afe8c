import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { View } from '../../src/fabric/view.ts';
import { agentId, appId, networkName, slotIdFromText } from '../../src/model/ids.ts';
import { startTestEngine, type TestEngine } from '../support/docker.ts';
import { bundleForTest } from '../support/bundle.ts';
import { taskSpec } from '../support/executor-tasks.ts';
import { FakeAgent } from '../support/fake-agent.ts';
import { startUnderlay, type TestUnderlay } from '../support/openvswitch.ts';

let engine: TestEngine;
let underlay: TestUnderlay;
let program: string;
let directory: string;
let agent: FakeAgent;
const children: Running[] = [];

interface Running {
  readonly child: ChildProcess;
  readonly exit: Promise<number | string>;
}

beforeAll(async () => {
  engine = await startTestEngine();
  underlay = await startUnderlay(`ppx${process.pid % 10_000}`, 1);
  program = await bundleForTest('test/support/executor-driver.ts');
});

afterAll(async () => {
  await underlay?.close();
  await engine?.stop();
  if (program !== undefined) await rm(program, { force: true });
});

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'ppx-agent-'));
  agent = await FakeAgent.start(path.join(directory, 'agent.sock'));
});

afterEach(async () => {
  for (const { child, exit } of children.splice(0)) {
    child.kill('SIGKILL');
    await exit;
  }
  await agent.close();
  await rm(directory, { recursive: true, force: true });
});

/** Starts the executor as an agent does, in the namespace of the host. */
function startExecutor(changes: Record<string, string> = {}): Running {
  const host = underlay.hosts[0]!;
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...FakeAgent.environment(path.join(directory, 'agent.sock'), directory),
    OVS_RUNDIR: host.runDir,
    DOCKER_HOST: `unix://${engine.socket}`,
    PATCHPANEL_STATE_DIR: host.stateDir,
    PATCHPANEL_UNDERLAY_IP: host.underlayIp,
    PATCHPANEL_DATAPATH: 'netdev',
    PATCHPANEL_CONVERGE_TIMEOUT_MS: '50',
    TEST_VIEW: JSON.stringify(view(host.underlayIp)),
    ...changes,
  };
  const args = ['netns', 'exec', host.netns, process.execPath, program];
  const child = spawn('ip', args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const exit = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const running = { child, exit };
  children.push(running);
  return running;
}

/** The view of a host with one endpoint, that of the slot which every task here has. */
const view = (underlayIp: string): View => ({
  version: { term: 1, n: 1 },
  hosts: [{ id: agentId('agent-1'), hostname: 'host-1', underlayIp }],
  networks: [
    {
      name: networkName('default'),
      vni: 7,
      cidr: '10.32.0.0/16',
      gateway: '10.32.0.1',
      mtu: 1450,
      domain: 'patchpanel.internal',
    },
  ],
  endpoints: [
    {
      slot: slotIdFromText('/web#0'),
      epoch: 1,
      app: appId('/web'),
      network: networkName('default'),
      host: agentId('agent-1'),
      ip: '10.32.0.7',
      mac: '0a:07:0a:20:00:07',
      hostname: '0.web',
      state: 'active',
      ports: [],
    },
  ],
});

const spec = (changes: Parameters<typeof taskSpec>[0] = {}) =>
  taskSpec({ slot: '/web#0', killGraceMs: 100, ...changes });

const quiet = { PATCHPANEL_LOG_LEVEL: 'silent' };
const containerCount = async () => (await engine.docker.listContainers({ all: true })).length;

test('a task runs on the switch with its address, is killed, and SHUTDOWN ends the program with 0', async () => {
  const { exit } = startExecutor(quiet);
  await agent.subscribed();
  const cmd = 'ip addr show eth0; cat /sys/class/net/eth0/address; sleep 1000';
  const id = agent.launch(spec({ cmd }));
  await agent.reaches(id, 'TASK_RUNNING');
  agent.kill(id);
  await agent.reaches(id, 'TASK_KILLED');
  agent.send({ type: 'SHUTDOWN' });
  expect(await exit).toBe(0);
  const output = await readFile(path.join(directory, 'tasks', id, 'stdout'), 'utf8');
  expect(output).toContain('inet 10.32.0.7/16');
  expect(output).toContain('0a:07:0a:20:00:07');
  expect(await containerCount()).toBe(0);
});

test('SIGTERM kills every task, tells it and ends the program with 0', async () => {
  const { child, exit } = startExecutor(quiet);
  await agent.subscribed();
  const id = agent.launch(spec());
  await agent.reaches(id, 'TASK_RUNNING');
  child.kill('SIGTERM');
  await agent.reaches(id, 'TASK_KILLED');
  expect(await exit).toBe(0);
  expect(await containerCount()).toBe(0);
});

test('what a killed executor left is removed by the next one', async () => {
  const first = startExecutor(quiet);
  await agent.subscribed();
  const old = agent.launch(spec());
  await agent.reaches(old, 'TASK_RUNNING');
  first.child.kill('SIGKILL');
  await first.exit;
  expect(await containerCount()).toBe(2);
  const second = startExecutor(quiet);
  await agent.subscribed(2);
  const id = agent.launch(spec());
  await agent.reaches(id, 'TASK_RUNNING');
  const names = (await engine.docker.listContainers({ all: true })).map(
    ({ Labels }) => Labels['MESOS_TASK_ID'],
  );
  expect(names).toEqual([id, id]);
  second.child.kill('SIGTERM');
  expect(await second.exit).toBe(0);
});

test('a broken stream is taken up again with what was not acknowledged, and tasks run on', async () => {
  const { child, exit } = startExecutor(quiet);
  await agent.subscribed();
  agent.silent = true;
  const id = agent.launch(spec());
  const running = await agent.reaches(id, 'TASK_RUNNING');
  agent.cut();
  await agent.subscribed(2);
  const listed = agent.subscriptions[1]?.subscribe;
  expect(listed?.unacknowledged_tasks?.map(({ task_id }) => task_id.value)).toEqual([id]);
  const updates = listed?.unacknowledged_updates?.map(({ status }) => status) ?? [];
  expect(updates.map(({ state }) => state)).toEqual(['TASK_STARTING', 'TASK_RUNNING']);
  expect(updates.at(-1)?.uuid).toEqual(running.uuid);
  agent.silent = false;
  agent.kill(id);
  await agent.reaches(id, 'TASK_KILLED');
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
});

test('a second executor of a host waits until the first has ended', async () => {
  const first = startExecutor(quiet);
  await agent.subscribed();
  const old = agent.launch(spec());
  await agent.reaches(old, 'TASK_RUNNING');
  startExecutor(quiet);
  await agent.subscribed(2);
  const id = agent.launch(spec());
  first.child.kill('SIGTERM');
  expect(await first.exit).toBe(0);
  const running = await agent.reaches(id, 'TASK_RUNNING');
  expect(running.message).toMatch(/10\.32\.0\.7/);
});

test('an executor that waits for its host ends at once when it is told to', async () => {
  startExecutor(quiet);
  await agent.subscribed();
  const old = agent.launch(spec());
  await agent.reaches(old, 'TASK_RUNNING');
  const { child, exit } = startExecutor(quiet);
  await agent.subscribed(2);
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
});

test('an executor without tasks ends by itself', async () => {
  const { exit } = startExecutor({ ...quiet, PATCHPANEL_IDLE_EXIT_SECONDS: '0.2' });
  await agent.subscribed();
  expect(await exit).toBe(0);
});

test('a host without a switch fails its tasks with the reason', async () => {
  const { exit } = startExecutor({ ...quiet, DOCKER_HOST: `unix://${directory}/none.sock` });
  await agent.subscribed();
  const id = agent.launch(spec());
  const failed = await agent.reaches(id, 'TASK_FAILED');
  expect(failed.message).toMatch(/cannot serve this host: docker version: .*none\.sock/);
  expect(await exit).toBe(1);
});
