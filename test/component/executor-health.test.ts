import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connectDocker } from '../../executor/adapters/docker/connection.ts';
import { DockerContainers } from '../../executor/adapters/docker/docker-containers.ts';
import { HostProber } from '../../executor/adapters/probes/host-prober.ts';
import type { CheckSpec, ProbeSpec } from '../../src/model/task-spec.ts';
import { run } from '../../src/runtime/process.ts';
import { bundleForTest } from '../support/bundle.ts';
import { startTestEngine, type TestEngine } from '../support/docker.ts';
import { TaskBench, taskSpec } from '../support/executor-tasks.ts';

let engine: TestEngine;
let containers: DockerContainers;
let prober: HostProber;
let bench: TaskBench;

beforeAll(async () => {
  engine = await startTestEngine();
  containers = new DockerContainers(connectDocker(`unix://${engine.socket}`), 'host-1');
  await containers.ensurePauseImage(process.arch);
  const program = await bundleForTest('executor/adapters/probes/probe-main.ts');
  prober = new HostProber({ containers, node: process.execPath, program });
});

afterAll(async () => {
  await engine?.stop();
});

beforeEach(async () => {
  bench = await TaskBench.start(containers, 'host-1', undefined, prober);
});

afterEach(async () => {
  await bench.stop();
});

const webServer = 'mkdir -p /tmp/www; echo ok > /tmp/www/up; exec httpd -f -p 8080 -h /tmp/www';
const http = (path: string): ProbeSpec => ({
  kind: 'http',
  scheme: 'http',
  port: 8080,
  path,
  ignore1xx: false,
});

/** A running task and how to probe it at the loopback address of its namespace. */
async function probed(cmd: string) {
  const spec = taskSpec({ cmd });
  const id = bench.launch(spec);
  await bench.reaches(id, 'TASK_RUNNING');
  const sandboxPid = bench.fabric.pids.get(`${spec.slot}@1`);
  if (sandboxPid === undefined) throw new Error('the task has no sandbox');
  const target = { container: bench.name(id, 'app'), sandboxPid, address: '127.0.0.1' };
  return { id, ask: (probe: ProbeSpec, timeoutMs = 2000) => prober.probe(probe, target, timeoutMs) };
}

test('a server is found in the network namespace of its container and nowhere else', async () => {
  const server = await probed(`${webServer} & wait`);
  const other = await probed('sleep 1000');
  const up = { kind: 'tcp', port: 8080 } as const;
  await until(async () => (await server.ask(up)).kind === 'success');
  expect(await server.ask(http('/up'))).toEqual({ kind: 'success' });
  expect(await server.ask(http('/down'))).toEqual({ kind: 'failure', cause: 'status 404' });
  expect(await other.ask(up)).toEqual({ kind: 'failure', cause: 'connect ECONNREFUSED 127.0.0.1:8080' });
});

test("a command runs in the app's container with its environment; its status decides", async () => {
  const { ask } = await probed('touch /tmp/here; sleep 1000');
  const command = (text: string) => ask({ kind: 'command', command: text });
  await until(async () => (await command('test -e /tmp/here')).kind === 'success');
  expect(await command('echo too bad; exit 3')).toEqual({
    kind: 'failure',
    cause: 'exit status 3: too bad',
  });
});

test('a command that takes too long is a failure and is ended', async () => {
  const { ask } = await probed('sleep 1000');
  const slow = { kind: 'command', command: 'while :; do sleep 0.1; done' } as const;
  expect(await ask(slow, 500)).toEqual({ kind: 'failure', cause: 'did not end within 500 ms' });
  await until(async () => !(await run('ps', ['-eo', 'args'])).includes('while :; do sleep 0.1; done'));
});

test('a task without a sandbox is probed in the namespace of its own container', async () => {
  const spec = taskSpec({ cmd: 'sleep 1000', network: { mode: 'host' } });
  const id = bench.launch(spec);
  await bench.reaches(id, 'TASK_RUNNING');
  const target = { container: bench.name(id, 'app'), address: '127.0.0.1' };
  const outcome = await prober.probe({ kind: 'tcp', port: 1 }, target, 1000);
  expect(outcome).toEqual({ kind: 'failure', cause: 'connect ECONNREFUSED 127.0.0.1:1' });
});

test('a task is probed while the probes of many that go on hanging still wait', async () => {
  const hang = 'mkdir -p /tmp/www/cgi-bin; printf "#!/bin/sh\\nsleep 1000\\n" > /tmp/www/cgi-bin/hang; ';
  const hanging = await probed(`${hang}chmod +x /tmp/www/cgi-bin/hang; ${webServer}`);
  const server = await probed(webServer);
  for (const { ask } of [hanging, server])
    await until(async () => (await ask(http('/up'))).kind === 'success');
  const probes = Array.from({ length: 16 }, () => http('/cgi-bin/hang'));
  const late = await Promise.all(probes.map((probe) => hanging.ask(probe, 200)));
  expect(late).toEqual(probes.map(() => ({ kind: 'failure', cause: 'no answer within 200 ms' })));
  let ended = 0;
  const waiting = probes.map((probe) => hanging.ask(probe, 60_000).finally(() => (ended += 1)));
  expect(await server.ask(http('/up'))).toEqual({ kind: 'success' });
  expect(ended).toBe(0);
  await containers.remove(bench.name(hanging.id, 'app'));
  await Promise.allSettled(waiting);
});

test('a container that is gone says nothing about health', async () => {
  const target = { container: 'pp-no-such-container', address: '127.0.0.1' };
  await expect(prober.probe({ kind: 'tcp', port: 1 }, target, 1000)).rejects.toThrow(/does not run/);
});

test('a task tells when it becomes healthy and when it stops being so', async () => {
  const healthChecks: CheckSpec[] = [
    {
      probe: { kind: 'command', command: 'test -e /tmp/well' },
      delayMs: 0,
      graceMs: 60_000,
      intervalMs: 200,
      timeoutMs: 5000,
      maxConsecutiveFailures: 2,
    },
  ];
  const id = bench.launch(taskSpec({ cmd: 'sleep 1000', healthChecks }));
  await bench.reaches(id, 'TASK_RUNNING');
  const inApp = (command: string) => containers.run(bench.name(id, 'app'), ['/bin/sh', '-c', command], 5000);
  await inApp('touch /tmp/well');
  await until(async () => bench.of(id).some(({ healthy }) => healthy === true));
  await inApp('rm /tmp/well');
  await until(async () => bench.of(id).filter(({ healthy }) => healthy === false).length >= 2);
  const told = bench.of(id).filter(({ state }) => state === 'TASK_RUNNING');
  expect(told.map(({ healthy, reason }) => [healthy, reason])).toEqual([
    [undefined, undefined],
    [true, 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'],
    [false, 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'],
    [false, 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'],
  ]);
  expect(JSON.parse(new TextDecoder().decode(told[3]?.data))).toMatchObject({
    health: [{ alive: false, consecutiveFailures: 2, exhausted: true }],
  });
  expect(told[3]?.message).toContain('unhealthy (2 in a row), COMMAND: exit status 1');
});

/** Asks again until the answer is yes; the test's own deadline ends it otherwise. */
async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 50));
}
