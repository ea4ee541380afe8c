import { expect, test } from '@jest/globals';
import { pauseArchive, pauseProgram } from '../../executor/adapters/docker/pause-image.ts';
import { OutputFrames, sinceParameter, TerminalLines } from '../../executor/adapters/docker/output.ts';
import { jsonLines } from '../../executor/adapters/docker/json-lines.ts';
import { connectDocker, dockerWords } from '../../executor/adapters/docker/connection.ts';
import { appContainer, containerName, sandboxContainer } from '../../executor/core/tasks/container-spec.ts';
import { readLaunch, type DesiredTask } from '../../executor/core/tasks/desired.ts';
import { ownCgroup } from '../../executor/core/tasks/cgroup.ts';
import { addPullRecord, pullText, type PullProgress } from '../../executor/core/tasks/pull-progress.ts';
import { readLeaderMessage } from '../../executor/core/tasks/messages.ts';
import { taskId } from '../../src/model/ids.ts';
import type { TaskSpec } from '../../src/model/task-spec.ts';
import { taskInfo, taskSpec } from '../support/executor-tasks.ts';

const mounts = { sandbox: '/tasks/1/sandbox', secrets: ['/run/secrets/0'] };
const surroundings = { hostKey: 'key', agentId: 'agent', runId: 'run', ipv6: true };

function desired(changes: Partial<TaskSpec> = {}): DesiredTask {
  const launch = readLaunch(taskInfo(taskSpec(changes)));
  if (launch.kind === 'refused') throw new Error(launch.message);
  return launch.task;
}

const app = (changes: Partial<TaskSpec> = {}) => appContainer(desired(changes), surroundings, mounts);
const sandbox = (changes: Partial<TaskSpec> = {}) => {
  const task = desired(changes);
  return sandboxContainer(task, task.plug!, 'pause', surroundings);
};

test('cmd goes to a shell in place of the entrypoint, args go to the entrypoint', () => {
  expect(app({ cmd: 'echo hi' })).toMatchObject({ Entrypoint: ['/bin/sh'], Cmd: ['-c', 'echo hi'] });
  const { cmd: _cmd, ...withArgs } = taskSpec({ args: ['--port', '80'] });
  const launch = readLaunch(taskInfo(withArgs));
  const spec = launch.kind === 'accepted' ? appContainer(launch.task, surroundings, mounts) : undefined;
  expect(spec?.Cmd).toEqual(['--port', '80']);
  expect(spec?.Entrypoint).toBeUndefined();
});

test('cpus are shares, memory is a hard limit and never less than Docker takes', () => {
  expect(app({ cpus: 0.25, memMib: 100 }).HostConfig).toMatchObject({ CpuShares: 256, Memory: 104_857_600 });
  expect(app({ cpus: 0, memMib: 1 }).HostConfig).toMatchObject({ CpuShares: 2, Memory: 6 * 2 ** 20 });
});

test('a limit of its own replaces what the app asked for, which it is then left with', () => {
  const limited = app({ memMib: 64, limits: { cpus: 1.5, memMib: 128 } }).HostConfig;
  expect(limited).toMatchObject({
    Memory: 128 * 2 ** 20,
    MemorySwap: 128 * 2 ** 20,
    MemoryReservation: 64 * 2 ** 20,
  });
  expect(limited).toMatchObject({ CpuPeriod: 100_000, CpuQuota: 150_000 });
  const unlimited = app({ memMib: 64, limits: { memMib: 'unlimited' } }).HostConfig;
  expect(unlimited).toMatchObject({ MemoryReservation: 64 * 2 ** 20 });
  expect(unlimited).not.toHaveProperty('Memory');
  expect(unlimited).not.toHaveProperty('CpuQuota');
});

test('the container sees its sandbox and its secrets, and a user may name the sandbox otherwise', () => {
  const secretFiles = [{ containerPath: '/run/key', content: 'eA==' }];
  const volumes = [{ containerPath: '/data', hostPath: '/srv', mode: 'RO' as const }];
  const spec = app({ secretFiles, volumes });
  expect(spec.HostConfig.Binds).toEqual([
    '/tasks/1/sandbox:/mnt/mesos/sandbox:rw',
    '/srv:/data:ro',
    '/run/secrets/0:/run/key:ro',
  ]);
  expect(spec.Env).toContain('MESOS_SANDBOX=/mnt/mesos/sandbox');
  expect(app({ env: { MESOS_SANDBOX: '/x' } }).Env).toContain('MESOS_SANDBOX=/x');
});

test('a task that the scheduler could not specify is refused with its reason', () => {
  const launch = readLaunch(taskInfo(taskSpec({ problem: 'there is no secret "x"' })));
  expect(launch).toMatchObject({ kind: 'refused', message: 'there is no secret "x"' });
});

test('what a terminal writes is cut at the ends of lines, however it comes', () => {
  const text = '2026-01-02T03:04:05.000000001Z one\r\n2026-01-02T03:04:05.000000002Z two\r\nrest';
  for (const size of [1, 7, 100]) {
    const lines = new TerminalLines();
    const entries = [];
    for (let at = 0; at < text.length; at += size)
      entries.push(...lines.add(Buffer.from(text.slice(at, at + size))));
    expect(entries.map(({ at, text: line }) => [at.slice(-2), Buffer.from(line).toString()])).toEqual([
      ['1Z', 'one\r\n'],
      ['2Z', 'two\r\n'],
    ]);
  }
});

test('the app joins its sandbox, which has no network of its own', () => {
  const spec = taskSpec();
  const task = desired({ taskId: spec.taskId });
  expect(appContainer(task, surroundings, mounts).HostConfig.NetworkMode).toBe(
    `container:${containerName('sandbox', taskId(spec.taskId))}`,
  );
  expect(sandbox().HostConfig.NetworkMode).toBe('none');
});

test('odd and even epochs open connections from their own quarter of the ports', () => {
  expect(sandbox({ epoch: 2 }).HostConfig.Sysctls).toMatchObject({
    'net.ipv4.ip_local_port_range': '32768 49151',
  });
  expect(sandbox({ epoch: 3 }).HostConfig.Sysctls).toMatchObject({
    'net.ipv4.ip_local_port_range': '49152 65535',
  });
});

test('IPv6 is off within a container, which a kernel that was booted without it must not be asked for', () => {
  const task = desired();
  const sysctls = (ipv6: boolean) =>
    sandboxContainer(task, task.plug!, 'pause', { ...surroundings, ipv6 }).HostConfig.Sysctls;
  expect(sysctls(true)).toHaveProperty(['net.ipv6.conf.all.disable_ipv6'], '1');
  expect(Object.keys(sysctls(false) ?? {})).toEqual(['net.ipv4.ip_local_port_range']);
});

test('options of the network go to the sandbox, or to the app on the network of the host', () => {
  const parameters = [
    { key: 'add-host', value: 'db:10.0.0.1' },
    { key: 'dns', value: '10.9.9.9' },
    { key: 'sysctl', value: 'net.core.somaxconn=5' },
  ];
  expect(sandbox({ parameters }).HostConfig).toMatchObject({
    Dns: ['10.9.9.9'],
    ExtraHosts: ['0-web.patchpanel.internal:10.32.0.7', '0-web:10.32.0.7', 'db:10.0.0.1'],
    Sysctls: { 'net.core.somaxconn': '5' },
  });
  expect(app({ parameters }).HostConfig.Dns).toBeUndefined();
  const onHost = app({ parameters, network: { mode: 'host' } }).HostConfig;
  expect(onHost).toMatchObject({ NetworkMode: 'host', Dns: ['10.9.9.9'], ExtraHosts: ['db:10.0.0.1'] });
});

test('labels of ours win over those of the app', () => {
  expect(app({ labels: { 'patchpanel.host': 'other', team: 'red' } }).Labels).toMatchObject({
    'patchpanel.host': 'key',
    'patchpanel.role': 'app',
    team: 'red',
  });
});

test('the program of the sandboxes is a small executable for each processor', () => {
  for (const arch of ['x64', 'arm64']) {
    const elf = pauseProgram(arch);
    expect(elf.length).toBeLessThan(160);
    expect(elf.subarray(0, 4).toString('latin1')).toBe('\x7fELF');
  }
  expect(() => pauseProgram('mips')).toThrow(/no sandbox program for mips/);
  expect(pauseArchive('x64').length % 512).toBe(0);
});

const frame = (stream: number, text: string) => {
  const payload = Buffer.from(`2026-01-02T03:04:05.000000007Z ${text}`);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
};

test('output that is split anywhere gives the same entries', () => {
  const bytes = Buffer.concat([frame(1, 'one\n'), frame(2, 'two with blanks\n'), frame(1, '')]);
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const frames = new OutputFrames();
    const entries = [...frames.add(bytes.subarray(0, cut)), ...frames.add(bytes.subarray(cut))];
    expect(entries.map(({ stream, text }) => [stream, Buffer.from(text).toString()])).toEqual([
      ['stdout', 'one\n'],
      ['stderr', 'two with blanks\n'],
      ['stdout', ''],
    ]);
    expect(entries[0]?.at).toBe('2026-01-02T03:04:05.000000007Z');
  }
});

test('bytes that are no output of Docker are an error', () => {
  expect(() => new OutputFrames().add(Buffer.from('hello world, this is text'))).toThrow(/garbled/);
});

test('the time of an entry keeps its nanoseconds', () => {
  expect(sinceParameter('1970-01-01T00:00:09.000000123Z')).toBe('9.000000123');
});

test('JSON lines are read whole however they are cut', async () => {
  const text = Buffer.from('{"a":"ü"}\r\n{"b":2}\n\n{"c":3}');
  for (let cut = 0; cut <= text.length; cut += 1) {
    const values: unknown[] = [];
    const chunks = (async function* () {
      yield text.subarray(0, cut);
      yield text.subarray(cut);
    })();
    for await (const value of jsonLines(chunks)) values.push(value);
    expect(values).toEqual([{ a: 'ü' }, { b: 2 }, { c: 3 }]);
  }
});

test('the address of Docker is a socket or a host', () => {
  expect(() => connectDocker('unix:///run/docker.sock')).not.toThrow();
  expect(() => connectDocker('tcp://10.0.0.1:2375')).not.toThrow();
  expect(() => connectDocker('docker')).toThrow(/DOCKER_HOST "docker"/);
  expect(() => connectDocker('ssh://host')).toThrow(/DOCKER_HOST/);
});

test('only the words of Docker are passed on', () => {
  const error = Object.assign(new Error('(HTTP code 404) no such container - No such image: x:1 '), {
    statusCode: 404,
  });
  expect(dockerWords(error)).toBe('No such image: x:1');
});

test('progress of a pull is told in layers and megabytes', () => {
  const records = [
    { id: '1', status: 'Pulling from library/web' },
    { id: 'a', status: 'Pulling fs layer' },
    { id: 'b', status: 'Already exists' },
    { id: 'a', status: 'Downloading', progressDetail: { current: 1_500_000, total: 3_000_000 } },
  ];
  const progress = records.reduce(addPullRecord, new Map() as PullProgress);
  expect(pullText('web:1', progress)).toBe('pulling web:1: 1 of 2 layers, 1.5 of 3.0 MB');
  expect(pullText('web:1', addPullRecord(progress, { id: 'a', status: 'Pull complete' }))).toMatch(
    /2 of 2 layers/,
  );
});

test('containers go to the cgroup of the executor only where the agent made one and Docker can use it', () => {
  const own = '4:memory:/mesos/abc\n3:cpu,cpuacct:/mesos/abc\n1:name=systemd:/\n';
  const facts = { own, containerId: 'abc', driver: 'cgroupfs', version: '1' };
  expect(ownCgroup(facts)).toBe('/mesos/abc');
  expect(ownCgroup({ ...facts, containerId: 'other' })).toBeUndefined();
  expect(ownCgroup({ ...facts, driver: 'systemd' })).toBeUndefined();
  expect(ownCgroup({ ...facts, own: '0::/mesos/abc', version: '2' })).toBeUndefined();
});

test('a message about the leader is read and others are not', () => {
  const message = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const leader = { url: 'http://10.0.0.1:8080', term: 7 };
  expect(readLeaderMessage(message({ schema: 1, leader }))).toEqual(leader);
  expect(readLeaderMessage(message({ schema: 2, leader }))).toBeUndefined();
  expect(readLeaderMessage(new Uint8Array([255]))).toBeUndefined();
});
