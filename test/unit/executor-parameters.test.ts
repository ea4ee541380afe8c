import { expect, test } from '@jest/globals';
import {
  allowedDockerParameters,
  guardedDockerParameters,
  parseDockerParameters,
} from '../../src/model/docker-parameters.ts';

const parse = (key: string, value: string) => parseDockerParameters([{ key, value }], new Set());

test.each([
  ['ulimit', 'nofile=1024:4096', { hostConfig: { Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 4096 }] } }],
  ['ulimit', 'core=0', { hostConfig: { Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }] } }],
  ['cap-add', 'NET_ADMIN', { hostConfig: { CapAdd: ['NET_ADMIN'] } }],
  ['shm-size', '64m', { hostConfig: { ShmSize: 67_108_864 } }],
  ['shm-size', '1GB', { hostConfig: { ShmSize: 1_073_741_824 } }],
  ['memory-swap', '-1', { hostConfig: { MemorySwap: -1 } }],
  ['tmpfs', '/run:size=1m', { hostConfig: { Tmpfs: { '/run': 'size=1m' } } }],
  ['tmpfs', '/run', { hostConfig: { Tmpfs: { '/run': '' } } }],
  ['init', 'true', { hostConfig: { Init: true } }],
  ['read-only', '', { hostConfig: { ReadonlyRootfs: true } }],
  ['entrypoint', '/run.sh', { config: { Entrypoint: ['/run.sh'] } }],
  ['user', '1000:1000', { config: { User: '1000:1000' } }],
  ['label', 'a=b=c', { config: { Labels: { a: 'b=c' } } }],
  ['sysctl', 'kernel.msgmax=1', { hostConfig: { Sysctls: { 'kernel.msgmax': '1' } } }],
  ['sysctl', 'net.core.somaxconn=1', { sandbox: { Sysctls: { 'net.core.somaxconn': '1' } } }],
  ['add-host', 'db:10.0.0.1', { sandbox: { ExtraHosts: ['db:10.0.0.1'] } }],
  ['cpuset-cpus', '0-1,3', { hostConfig: { CpusetCpus: '0-1,3' } }],
  [
    'device',
    '/dev/fuse',
    {
      hostConfig: {
        Devices: [{ PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'rwm' }],
      },
    },
  ],
])('%s %s is understood', (key, value, expected) => {
  const { options, problems } = parse(key, value);
  expect(problems).toEqual([]);
  expect(options).toEqual({ config: {}, hostConfig: {}, sandbox: {}, ...expected });
});

test.each([
  ['ulimit', 'nofile'],
  ['ulimit', 'nofile=10:5'],
  ['shm-size', 'much'],
  ['tmpfs', 'run'],
  ['init', 'maybe'],
  ['cap-add', ''],
  ['device', 'sda'],
  ['sysctl', 'kernel.msgmax'],
  ['add-host', 'db'],
  ['dns', 'example.org'],
  ['cpu-quota', '1.5'],
  ['label', 'patchpanel.host=x'],
])('%s with the value %j is refused with its key', (key, value) => {
  const { problems } = parse(key, value);
  expect(problems).toHaveLength(1);
  expect(problems[0]?.message).toContain(`docker parameter "${key}"`);
});

test('an option that has another place is refused with a hint, an unknown one with what is allowed', () => {
  expect(parse('hostname', 'x').problems[0]?.message).toMatch(/not allowed: the slot has a name of its own/);
  expect(parse('wat', 'x').problems[0]?.message).toContain(allowedDockerParameters.join(', '));
});

test('parameters add up, and each problem has its place', () => {
  const { options, problems } = parseDockerParameters(
    [
      { key: 'cap-add', value: 'NET_ADMIN' },
      { key: 'net', value: 'host' },
      { key: 'cap-add', value: 'SYS_PTRACE' },
    ],
    new Set(),
  );
  expect(options.hostConfig.CapAdd).toEqual(['NET_ADMIN', 'SYS_PTRACE']);
  expect(problems).toEqual([{ index: 1, key: 'net', message: expect.any(String) }]);
});

test.each([
  ['pid', 'host', { PidMode: 'host' }],
  ['ipc', 'shareable', { IpcMode: 'shareable' }],
  ['userns', 'host', { UsernsMode: 'host' }],
  ['runtime', 'runsc', { Runtime: 'runsc' }],
  ['oom-score-adj', '-500', { OomScoreAdj: -500 }],
  ['oom-kill-disable', 'true', { OomKillDisable: true }],
  ['blkio-weight', '500', { BlkioWeight: 500 }],
  ['storage-opt', 'size=10G', { StorageOpt: { size: '10G' } }],
])('%s is for the operator to allow', (key, value, hostConfig) => {
  expect(parse(key, value).problems[0]?.message).toContain(`--allow-docker-parameter ${key}`);
  expect(guardedDockerParameters).toContain(key);
  for (const besides of [new Set([key]), 'all'] as const) {
    const { options, problems } = parseDockerParameters([{ key, value }], besides);
    expect([options.hostConfig, problems]).toEqual([hostConfig, []]);
  }
});
