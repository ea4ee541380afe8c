import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { DnsmasqNameServer } from '../../executor/adapters/dnsmasq/name-server.ts';
import type { View } from '../../src/fabric/view.ts';
import { agentId, appId, networkName, slotIdFromText } from '../../src/model/ids.ts';
import { startTestEngine, type TestEngine } from '../support/docker.ts';
import { bundleForTest } from '../support/bundle.ts';
import { taskSpec } from '../support/executor-tasks.ts';
import { eventually } from '../support/switch-bench.ts';
import { TestCgroup } from '../support/cgroup.ts';
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
  if (underlay !== undefined) await endNameServers();
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

const runDir = (): string => `/run/patchpanel-test-${underlay.hosts[0]!.netns}`;

/** What serves names goes on after an executor that was killed. */
async function endNameServers(): Promise<void> {
  const left = await readdir(runDir()).catch(() => []);
  for (const name of left) {
    const place = {
      directory: path.join(runDir(), name),
      resolvers: '/etc/resolv.conf',
      cgroupExits: [],
      environment: {},
    };
    await new DnsmasqNameServer(place).remove();
  }
  await rm(runDir(), { recursive: true, force: true });
}

/** Starts the executor as an agent does, in the namespace of the host. */
function startExecutor(changes: Record<string, string> = {}, prefix: readonly string[] = []): Running {
  const host = underlay.hosts[0]!;
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...FakeAgent.environment(path.join(directory, 'agent.sock'), directory),
    OVS_RUNDIR: host.runDir,
    DOCKER_HOST: `unix://${engine.socket}`,
    PATCHPANEL_STATE_DIR: host.stateDir,
    PATCHPANEL_RUN_DIR: runDir(),
    PATCHPANEL_UNDERLAY_IP: host.underlayIp,
    PATCHPANEL_DATAPATH: 'netdev',
    PATCHPANEL_CONVERGE_TIMEOUT_MS: '50',
    TEST_VIEW: JSON.stringify(view(host.underlayIp)),
    ...changes,
  };
  const command = ['ip', 'netns', 'exec', host.netns, process.execPath, program];
  const [file = '', ...args] = [...prefix, ...command];
  const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const exit = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'));
  });
  const running = { child, exit };
  children.push(running);
  return running;
}

/** The ports of our bridge, without the host's own leg in the network. */
const portNames = async (): Promise<readonly string[]> => {
  const host = underlay.hosts[0]!;
  const listed = await host.exec('ovs-vsctl', [
    `--db=unix:${host.runDir}/db.sock`,
    'list-ports',
    'br-patchpanel',
  ]);
  return listed
    .trim()
    .split('\n')
    .filter((name) => !name.startsWith('ppg'));
};

/** The view of a host with the endpoints of the slots that the tasks here have. */
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
  endpoints: [0, 1].map((index) => ({
    slot: slotIdFromText(`/web#${index}`),
    epoch: 1,
    app: appId('/web'),
    network: networkName('default'),
    host: agentId('agent-1'),
    ip: `10.32.0.${7 + index}`,
    mac: `0a:07:0a:20:00:0${7 + index}`,
    hostname: `${index}.web`,
    state: 'active',
    ports: [],
  })),
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
  const output = () => readFile(path.join(directory, 'tasks', id, 'stdout'), 'utf8');
  await eventually(async () => expect(await output()).toContain('0a:07:0a:20:00:07'));
  expect(await output()).toContain('inet 10.32.0.7/16');
  agent.kill(id);
  await agent.reaches(id, 'TASK_KILLED');
  agent.send({ type: 'SHUTDOWN' });
  expect(await exit).toBe(0);
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

/** Kills an executor while a task of it runs. */
async function leaveTask(changes: Record<string, string>): Promise<void> {
  const { child, exit } = startExecutor(changes);
  await agent.subscribed();
  await agent.reaches(agent.launch(spec()), 'TASK_RUNNING');
  child.kill('SIGKILL');
  await exit;
}

test('what a killed executor left is removed by the next one', async () => {
  await leaveTask(quiet);
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

test('what a killed executor left is removed after a while when no other one comes', async () => {
  await leaveTask({ ...quiet, PATCHPANEL_ORPHAN_SECONDS: '1' });
  await eventually(async () => expect(await containerCount()).toBe(0));
  const words = await readFile(path.join(directory, 'undertaker.log'), 'utf8');
  expect(words).toContain('removing what an earlier executor left');
});

test('what a killed executor left is removed by the next one even when that has no switch', async () => {
  await leaveTask(quiet);
  const second = startExecutor({ ...quiet, OVS_RUNDIR: path.join(directory, 'no-switch') });
  await agent.subscribed(2);
  const failed = await agent.reaches(agent.launch(spec()), 'TASK_FAILED');
  expect(failed.message).toMatch(/cannot serve this host/);
  expect(await second.exit).toBe(1);
  expect(await containerCount()).toBe(0);
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

test('a second executor takes the host over; the first one goes on with its task and ends with it', async () => {
  const first = startExecutor(quiet);
  await agent.subscribed();
  const old = agent.launch(spec());
  await agent.reaches(old, 'TASK_RUNNING');
  const second = startExecutor(quiet);
  await agent.subscribed(2);
  const id = agent.launch(spec({ slot: '/web#1' }));
  await agent.reaches(id, 'TASK_RUNNING');
  expect(await containerCount()).toBe(4);
  expect(first.child.exitCode).toBeNull();
  await engine.docker.getContainer(`patchpanel-app-${old}`).kill({ signal: 'SIGKILL' });
  expect(await first.exit).toBe(0);
  // The one that has the switch sees that the veth is gone.
  await eventually(async () => expect(await portNames()).toHaveLength(2));
  expect(await containerCount()).toBe(2);
  second.child.kill('SIGTERM');
  expect(await second.exit).toBe(0);
  expect(await portNames()).toEqual(['pp-tun']);
});

test('an executor that waits for its host ends at once when it is told to', async () => {
  const first = startExecutor(quiet);
  await agent.subscribed();
  const old = agent.launch(spec());
  await agent.reaches(old, 'TASK_RUNNING');
  // One that is stuck neither ends nor hands the host over.
  first.child.kill('SIGSTOP');
  const { child, exit } = startExecutor(quiet);
  await agent.subscribed(2);
  child.kill('SIGTERM');
  expect(await exit).toBe(0);
});

test('containers are in the cgroup that the agent made for the executor, and its limits count for them', async () => {
  const cgroup = await TestCgroup.create(path.basename(directory));
  try {
    const { child, exit } = startExecutor(quiet, cgroup.enter);
    await agent.subscribed();
    const id = agent.launch(spec());
    await agent.reaches(id, 'TASK_RUNNING');
    for (const role of ['app', 'sandbox']) {
      const { State } = await engine.docker.getContainer(`patchpanel-${role}-${id}`).inspect();
      expect(await cgroup.groupOf(State.Pid)).toMatch(`${cgroup.path}/`);
    }
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  } finally {
    await cgroup.close();
  }
});

test('an executor without tasks ends by itself', async () => {
  const { exit } = startExecutor({ ...quiet, PATCHPANEL_IDLE_EXIT_SECONDS: '0.2' });
  await agent.subscribed();
  expect(await exit).toBe(0);
});

test('while the host is made ready the agent is listened to: streams, kills and the end', async () => {
  const socket = path.join(directory, 'mute.sock');
  // A Docker Engine that takes requests and never answers.
  const mute = createServer().listen(socket);
  try {
    const { exit } = startExecutor({ ...quiet, DOCKER_HOST: `unix://${socket}` });
    await agent.subscribed();
    const [one, two] = [agent.launch(spec()), agent.launch(spec({ slot: '/web#1' }))];
    agent.kill(one);
    await agent.reaches(one, 'TASK_KILLED');
    agent.cut();
    await agent.subscribed(2);
    const listed = agent.subscriptions[1]?.subscribe?.unacknowledged_tasks;
    expect(listed?.map(({ task_id }) => task_id.value)).toContain(two);
    agent.send({ type: 'SHUTDOWN' });
    await agent.reaches(two, 'TASK_KILLED');
    expect(await exit).toBe(0);
  } finally {
    mute.close();
  }
});

test('a host without a switch fails its tasks with the reason', async () => {
  const { exit } = startExecutor({ ...quiet, DOCKER_HOST: `unix://${directory}/none.sock` });
  await agent.subscribed();
  const id = agent.launch(spec());
  const failed = await agent.reaches(id, 'TASK_FAILED');
  expect(failed.message).toMatch(/cannot serve this host: docker version: .*none\.sock/);
  expect(await exit).toBe(1);
});
