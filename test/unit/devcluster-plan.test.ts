import { expect, test } from '@jest/globals';
import { tarArchive } from '../../src/devcluster/archive.ts';
import { devClusterConfig } from '../../src/devcluster/options.ts';
import { clusterPlan, subnetCandidates } from '../../src/devcluster/plan.ts';

test('names of links fit into the 15 characters that Linux allows', () => {
  const plan = clusterPlan('abcdefghi', 64, 255);
  const links = [plan.managementBridge, ...plan.hosts.map((host) => host.managementLink)];
  expect(Math.max(...links.map((link) => link.length))).toBeLessThanOrEqual(15);
});

test('every host has addresses and a MAC of its own', () => {
  const { hosts } = clusterPlan('pp', 64, 7);
  for (const key of ['netns', 'managementIp', 'underlayIp', 'underlayMac', 'hubPort'] as const)
    expect(new Set(hosts.map((host) => host[key])).size).toBe(64);
});

test('a subnet number that a route of the machine uses is not a candidate', () => {
  const all = subnetCandidates('pp', []);
  expect(all).toHaveLength(256);
  const [first = -1] = all;
  expect(subnetCandidates('pp', [`198.18.${first}.0/24`])).not.toContain(first);
  expect(subnetCandidates('pp', [`198.19.${first}.1`])).not.toContain(first);
  expect(subnetCandidates('pp', ['10.0.0.0/8', '192.0.2.1'])).toEqual(all);
});

test('an option that is wrong is named', () => {
  expect(() => devClusterConfig({ name: 'Has Blanks' })).toThrow(/option name/);
  expect(() => devClusterConfig({ name: 'muchtoolong' })).toThrow(/option name/);
  expect(() => devClusterConfig({ hosts: 0 })).toThrow(/option hosts/);
  expect(() => devClusterConfig({ api: 'localhost' })).toThrow(/option api/);
  expect(() => devClusterConfig({ stateDir: `/${'x'.repeat(70)}` })).toThrow(/option stateDir/);
});

test('the state directory follows the name', () => {
  expect(devClusterConfig({ name: 'lab' }).stateDir).toBe('/var/lib/patchpanel-dev/lab');
});

test('the same entries give the same archive', () => {
  const entries = [
    { kind: 'directory', path: 'bin', mode: 0o755 },
    { kind: 'file', path: 'bin/a', mode: 0o755, content: Buffer.from('content') },
    { kind: 'symlink', path: 'bin/b', target: 'a' },
  ] as const;
  const archive = tarArchive(entries);
  expect(archive.length % 512).toBe(0);
  expect(archive.equals(tarArchive(entries))).toBe(true);
});
