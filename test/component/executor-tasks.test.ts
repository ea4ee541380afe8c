import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { connectDocker } from '../../executor/adapters/docker/connection.ts';
import { DockerContainers } from '../../executor/adapters/docker/docker-containers.ts';
import { startTestEngine, type TestEngine } from '../support/docker.ts';
import { TaskBench, taskSpec } from '../support/executor-tasks.ts';

let engine: TestEngine;
let containers: DockerContainers;
let bench: TaskBench;

beforeAll(async () => {
  engine = await startTestEngine();
  containers = new DockerContainers(connectDocker(`unix://${engine.socket}`), 'host-1');
  await containers.ensurePauseImage(process.arch);
});

afterAll(async () => {
  await engine?.stop();
});

beforeEach(async () => {
  bench = await TaskBench.start(containers, 'host-1');
});

afterEach(async () => {
  await bench.stop();
});

const states = (id: string) => bench.of(id).map((update) => update.state);

test('a task on the switch is plugged in before its process starts, and its address is reported', async () => {
  const id = bench.launch(taskSpec({ slot: '/web#0', cmd: 'echo hello; sleep 1000' }));
  const running = await bench.reaches(id, 'TASK_RUNNING');
  expect(bench.fabric.calls).toEqual(['prepare /web#0@1', 'attach /web#0@1', 'converged /web#0@1']);
  expect(bench.fabric.pids.get('/web#0@1')).toBe((await containers.inspect(bench.name(id, 'sandbox')))?.pid);
  expect(running.container_status?.network_infos).toEqual([
    { name: 'default', ip_addresses: [{ protocol: 'IPv4', ip_address: '10.32.0.7' }] },
  ]);
  const timings: unknown = JSON.parse(new TextDecoder().decode(running.data));
  expect(timings).toMatchObject({ totalMs: expect.any(Number), attachMs: expect.any(Number) });
  expect(states(id)[0]).toBe('TASK_STARTING');
});

test('the app sees the hostname, the resolver, the names and the port range of its sandbox', async () => {
  const cmd = 'hostname; cat /etc/resolv.conf /etc/hosts /proc/sys/net/ipv4/ip_local_port_range';
  const id = bench.launch(taskSpec({ cmd, epoch: 3 }));
  await bench.reaches(id, 'TASK_FINISHED');
  await bench.tasks.emptied();
  const lines = (await bench.output(id, 'stdout')).split('\n');
  expect(lines[0]).toBe('0-web');
  expect(lines).toContain('search patchpanel.internal');
  expect(lines).toContain('nameserver 10.32.0.2');
  expect(lines).toContain('10.32.0.7\t0-web.patchpanel.internal');
  expect(lines).toContain('49152\t65535');
});

test('exit status 0 finishes a task and another one fails it with the number', async () => {
  const good = bench.launch(taskSpec({ cmd: 'exit 0' }));
  const bad = bench.launch(taskSpec({ cmd: 'exit 7' }));
  await bench.reaches(good, 'TASK_FINISHED');
  const failed = await bench.reaches(bad, 'TASK_FAILED');
  expect(failed.message).toBe('exited with status 7');
});

test('nothing of a task is left when it has ended, and its port is unplugged before its containers go', async () => {
  const id = bench.launch(taskSpec({ cmd: 'true', slot: '/web#0' }));
  await bench.reaches(id, 'TASK_FINISHED');
  await bench.tasks.emptied();
  expect(bench.fabric.calls.at(-1)).toBe('detach /web#0@1');
  expect(await containers.list()).toEqual([]);
});

test('an app that goes over its memory limit fails with that reason', async () => {
  const id = bench.launch(taskSpec({ cmd: 'tail /dev/zero', memMib: 16 }));
  const failed = await bench.reaches(id, 'TASK_FAILED');
  expect(failed.reason).toBe('REASON_CONTAINER_LIMITATION_MEMORY');
  expect(failed.message).toMatch(/out of memory/);
});

test('an image that does not exist fails the task with its name and the words of Docker', async () => {
  const id = bench.launch(taskSpec({ image: 'localhost:1/no/such:9' }));
  const failed = await bench.reaches(id, 'TASK_FAILED');
  expect(failed.message).toMatch(/^image localhost:1\/no\/such:9: .*refused/);
  await bench.tasks.emptied();
  expect(await containers.list()).toEqual([]);
});

test('a program that does not exist fails the task with the words of Docker', async () => {
  const { cmd: _cmd, ...spec } = taskSpec({ args: ['/no/such/program'] });
  const id = bench.launch(spec);
  const failed = await bench.reaches(id, 'TASK_FAILED');
  expect(failed.message).toMatch(/no such file or directory/);
});

test('a kill lets the app end by itself within its grace period', async () => {
  const id = bench.launch(
    taskSpec({ cmd: 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.1; done' }),
  );
  await bench.reaches(id, 'TASK_RUNNING');
  await untilOutput(id, 'up');
  bench.tasks.kill(id, undefined);
  const killed = await bench.reaches(id, 'TASK_KILLED');
  expect(killed.message).toBe('killed (exit status 0)');
  expect(states(id)).toEqual(expect.arrayContaining(['TASK_KILLING']));
  await bench.tasks.emptied();
  expect(await bench.output(id, 'stdout')).toBe('up\nbye\n');
});

test('an app that ignores SIGTERM is ended by SIGKILL when its grace period is over, or a shorter one comes', async () => {
  const deaf = 'trap "" TERM; while :; do sleep 0.1; done';
  const first = bench.launch(taskSpec({ cmd: deaf, killGraceMs: 200 }));
  const second = bench.launch(taskSpec({ cmd: deaf, killGraceMs: 1_000_000 }));
  await bench.reaches(first, 'TASK_RUNNING');
  await bench.reaches(second, 'TASK_RUNNING');
  bench.tasks.kill(first, undefined);
  bench.tasks.kill(second, undefined);
  bench.tasks.kill(second, { grace_period: { nanoseconds: 0 } });
  expect((await bench.reaches(first, 'TASK_KILLED')).message).toBe('killed (exit status 137)');
  expect((await bench.reaches(second, 'TASK_KILLED')).message).toBe('killed (exit status 137)');
});

test('a task that is killed before it runs never runs', async () => {
  const id = bench.launch(taskSpec());
  bench.tasks.kill(id, undefined);
  const killed = await bench.reaches(id, 'TASK_KILLED');
  expect(killed.reason).toBe('REASON_TASK_KILLED_DURING_LAUNCH');
  await bench.tasks.emptied();
  expect(states(id)).not.toContain('TASK_RUNNING');
  expect(await containers.list()).toEqual([]);
});

test('a task whose sandbox dies fails and its app is removed', async () => {
  const id = bench.launch(taskSpec());
  await bench.reaches(id, 'TASK_RUNNING');
  await containers.signal(bench.name(id, 'sandbox'), 'SIGKILL');
  const failed = await bench.reaches(id, 'TASK_FAILED');
  expect(failed.message).toBe('network sandbox lost');
  await bench.tasks.emptied();
  expect(await containers.list()).toEqual([]);
});

test('a task whose container somebody removes fails', async () => {
  const id = bench.launch(taskSpec());
  await bench.reaches(id, 'TASK_RUNNING');
  await engine.docker.getContainer(bench.name(id, 'app')).remove({ force: true });
  const failed = await bench.reaches(id, 'TASK_FAILED');
  expect(failed.message).toMatch(/removed|SIGKILL/);
});

test('a network that cannot be had fails the task with the reason, and the app never starts', async () => {
  bench.fabric.attachProblem = 'ip link: no';
  const id = bench.launch(taskSpec());
  const failed = await bench.reaches(id, 'TASK_FAILED');
  expect(failed.message).toBe('ip link: no');
  expect(states(id)).not.toContain('TASK_RUNNING');
});

test('hosts that do not confirm in time delay the start but do not prevent it', async () => {
  bench.fabric.unconverged = true;
  const id = bench.launch(taskSpec());
  const running = await bench.reaches(id, 'TASK_RUNNING');
  expect(running.message).toMatch(/started although some host had not confirmed/);
});

test('a task on the network of the host has no sandbox and no port', async () => {
  const id = bench.launch(taskSpec({ network: { mode: 'host' }, cmd: 'sleep 1000' }));
  await bench.reaches(id, 'TASK_RUNNING');
  expect((await containers.list()).map(({ role }) => role)).toEqual(['app']);
  expect(bench.fabric.calls).toEqual([]);
});

test('limits, environment, labels, volumes and docker parameters reach the container', async () => {
  const spec = taskSpec({
    cpus: 0.5,
    memMib: 48,
    env: { GREETING: 'hello world' },
    labels: { team: 'blue' },
    volumes: [{ hostPath: '/etc', containerPath: '/host-etc', mode: 'RO' }],
    parameters: [
      { key: 'ulimit', value: 'nofile=100:200' },
      { key: 'workdir', value: '/bin' },
      { key: 'sysctl', value: 'net.core.somaxconn=99' },
    ],
    cmd: 'echo $GREETING; pwd; ulimit -n; cat /proc/sys/net/core/somaxconn; touch /host-etc/x 2>&1; sleep 1000',
  });
  const id = bench.launch(spec);
  await bench.reaches(id, 'TASK_RUNNING');
  await untilOutput(id, 'Read-only');
  const app = await engine.docker.getContainer(bench.name(id, 'app')).inspect();
  expect(app.HostConfig).toMatchObject({ CpuShares: 512, Memory: 48 * 2 ** 20, MemorySwap: 48 * 2 ** 20 });
  expect(app.Config.Labels).toMatchObject({ team: 'blue', MESOS_TASK_ID: id, 'patchpanel.host': 'host-1' });
  const lines = (await bench.output(id, 'stdout')).split('\n');
  expect(lines.slice(0, 4)).toEqual(['hello world', '/bin', '100', '99']);
});

test('a parameter that is not allowed is refused with its name', async () => {
  const id = bench.launch(taskSpec({ parameters: [{ key: 'net', value: 'host' }] }));
  const failed = await bench.reaches(id, 'TASK_FAILED');
  expect(failed.message).toBe('docker parameter "net" is not allowed: use "networks"');
});

test('many tasks at once all run', async () => {
  const ids = Array.from({ length: 8 }, () => bench.launch(taskSpec()));
  await Promise.all(ids.map((id) => bench.reaches(id, 'TASK_RUNNING')));
  expect((await containers.list()).filter(({ running }) => running)).toHaveLength(16);
});

test('killing all ends every task and refuses new ones', async () => {
  const id = bench.launch(
    taskSpec({ cmd: 'trap "" TERM; while :; do sleep 0.1; done', killGraceMs: 60_000 }),
  );
  await bench.reaches(id, 'TASK_RUNNING');
  bench.tasks.killAll(100);
  const late = bench.launch(taskSpec());
  await bench.reaches(id, 'TASK_KILLED');
  expect((await bench.reaches(late, 'TASK_DROPPED')).message).toMatch(/is ending/);
  await bench.tasks.emptied();
});

test('an app has the terminal, the sandbox and the secrets that it asks for, and they go with it', async () => {
  const id = bench.launch(
    taskSpec({
      tty: true,
      user: '1000',
      secretFiles: [{ containerPath: '/run/key', content: Buffer.from('hunter2').toString('base64') }],
      cmd: 'test -t 1 && echo "terminal $(cat /run/key)"; cd $MESOS_SANDBOX && echo mine > own && cat own; sleep 1000',
    }),
  );
  await bench.reaches(id, 'TASK_RUNNING');
  await untilOutput(id, 'mine');
  expect(await bench.output(id, 'stdout')).toBe('terminal hunter2\r\nmine\r\n');
  expect(await bench.output(id, 'sandbox/own')).toBe('mine\n');
  bench.tasks.kill(id, { grace_period: { nanoseconds: 0 } });
  await bench.tasks.emptied();
  await expect(bench.output(id, 'sandbox/own')).rejects.toThrow('ENOENT');
  await expect(bench.output('', `../secrets/run-1/${id}/0`)).rejects.toThrow('ENOENT');
});

/** Waits until a task's stdout contains a text; the test's own time limit ends it. */
async function untilOutput(id: string, text: string): Promise<void> {
  while (!(await bench.output(id, 'stdout').catch(() => '')).includes(text)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
