import { expect, test } from '@jest/globals';
import { checkHost, neededPrograms, type HostFindings } from '../../executor/core/host-check.ts';

const good: HostFindings = {
  isRoot: true,
  docker: { value: { version: '20.10.24+dfsg1', cgroupDriver: 'systemd', cgroupVersion: '2' } },
  openVswitch: { value: { version: '3.1.0', datapaths: ['netdev', 'system'] } },
  hasKernelDatapath: true,
  programs: new Set(neededPrograms),
  underlay: { value: { ip: '192.0.2.11', device: 'eth1', mtu: 9000 } },
  stateDirProblem: undefined,
};

const expectations = {
  datapath: 'auto',
  stateDir: '/var/lib/patchpanel',
  ovsRunDir: '/var/run/openvswitch',
  dockerHost: 'unix:///var/run/docker.sock',
} as const;

const notOk = (
  found: Partial<HostFindings>,
  expected: Partial<Parameters<typeof checkHost>[1]> = {},
): string[] =>
  checkHost({ ...good, ...found }, { ...expectations, ...expected }).flatMap(
    ({ what, level, found: seen, remedy }) =>
      level === 'ok' ? [] : [`${level} ${what}: ${seen}: ${remedy}`],
  );

test('a machine that has everything passes', () => {
  expect(notOk({})).toEqual([]);
});

test.each<[Partial<HostFindings>, string]>([
  [{ isRoot: false }, 'fail root: no: run this as root'],
  [{ docker: { problem: 'no socket' } }, 'fail Docker Engine: no socket: install docker.io'],
  [
    { docker: { value: { version: '19.03.1', cgroupDriver: 'cgroupfs', cgroupVersion: '1' } } },
    'warn Docker Engine: 19.03.1, cgroups 1 by cgroupfs: older than 20.10',
  ],
  [
    { openVswitch: { value: { version: '2.9.8', datapaths: ['system'] } } },
    'fail Open vSwitch: 2.9.8: older',
  ],
  [{ hasKernelDatapath: false }, 'warn datapath: netdev (userspace): it works'],
  [
    { hasKernelDatapath: false, openVswitch: { value: { version: '3.1.0', datapaths: ['system'] } } },
    'fail datapath: system: load the kernel module',
  ],
  [
    { programs: new Set(neededPrograms.filter((name) => name !== 'nft')) },
    'warn nft: missing: install nftables',
  ],
  [
    { programs: new Set(neededPrograms.filter((name) => name !== 'ip')) },
    'fail ip: missing: install iproute2',
  ],
  [{ underlay: { problem: 'no address' } }, 'fail underlay: no address: set underlayIp'],
  [
    { underlay: { value: { ip: '192.0.2.11', device: 'eth1', mtu: 1500 } } },
    'warn underlay: 192.0.2.11 on eth1, MTU 1500: containers get 1450: an MTU of 1550',
  ],
  [
    { stateDirProblem: 'read-only file system' },
    'fail state directory: read-only file system: make it writable',
  ],
])('what is missing is named with what to do: %j', (found, message) => {
  expect(notOk(found)).toEqual([expect.stringContaining(message)]);
});

test('a datapath that is asked for by name has to be there', () => {
  expect(notOk({ hasKernelDatapath: false }, { datapath: 'system' })).toEqual([
    expect.stringContaining('fail datapath: no kernel module'),
  ]);
  expect(notOk({ hasKernelDatapath: true }, { datapath: 'netdev' })).toEqual([
    expect.stringContaining('warn datapath: netdev (userspace)'),
  ]);
});
