import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { mergeSettings, readCommandLine } from '../../scheduler/command-line.ts';
import { advertiseUrl, printable } from '../../scheduler/config.ts';
import { configuredNetworks, defaultNetwork } from '../../scheduler/driver/configured-networks.ts';

async function withFile<T>(content: string, use: (file: string) => T | Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'pp-config-'));
  try {
    const file = join(directory, 'file.json');
    await writeFile(file, content);
    return await use(file);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('flags win over the environment, the environment over the file', async () => {
  const content = JSON.stringify({ master: ['file:5050'], role: 'file', frameworkName: 'file' });
  const config = await withFile(content, (file) =>
    mergeSettings(
      { config: file, role: 'flag' },
      { PATCHPANEL_ROLE: 'env', PATCHPANEL_FRAMEWORK_NAME: 'env' },
    ),
  );
  expect(config).toMatchObject({ master: ['file:5050'], role: 'flag', frameworkName: 'env' });
});

test('masters and addresses come repeated or by commas', () => {
  const line = readCommandLine(
    ['--master', 'a:5050', '--master', 'b:5050', '--listen', '127.0.0.1:8080', '--listen', '[::1]:8081'],
    {},
  );
  expect(line).toMatchObject({
    kind: 'run',
    config: {
      master: ['a:5050', 'b:5050'],
      listen: [
        { host: '127.0.0.1', port: 8080 },
        { host: '::1', port: 8081 },
      ],
    },
  });
  expect(mergeSettings({}, { PATCHPANEL_MASTER: 'a:1,b:2', PATCHPANEL_LISTEN: '0.0.0.0:1' })).toMatchObject({
    master: ['a:1', 'b:2'],
    listen: [{ host: '0.0.0.0', port: 1 }],
  });
});

test('numbers in the environment are numbers', () => {
  const config = mergeSettings({ master: 'a:1' }, { PATCHPANEL_FAILOVER_TIMEOUT: '60' });
  expect(config.failoverTimeout).toBe(60);
});

test.each([
  [{}, '--master: give the address of a Mesos master'],
  [{ master: 'a:1', listen: ['8080'] }, '--listen: must be host:port'],
  [{ master: 'a:1', role: '-x' }, '--role: is not a Mesos role'],
  [{ master: 'a:1', role: 'a/../b' }, '--role: is not a Mesos role'],
  [{ master: 'a:1', advertiseUrl: 'ftp://x' }, '--advertise-url:'],
  [{ master: 'a:1', executorMem: 'much' }, '--executor-mem:'],
  [{ master: 'a:1', colour: 'red' }, 'unknown setting colour'],
])('what is wrong with %j is said by the name of the flag', (settings, message) => {
  expect(() => mergeSettings(settings, {})).toThrow(message);
});

test.each(['*', 'web', 'prod/web', 'a-b_c'])('%s is a role', (role) => {
  expect(mergeSettings({ master: 'a:1', role }, {}).role).toBe(role);
});

test('a file that is not there or no JSON is named', async () => {
  expect(() => mergeSettings({ config: '/nowhere.json' }, {})).toThrow('/nowhere.json');
  await withFile('{', (file) => expect(() => mergeSettings({ config: file }, {})).toThrow(file));
});

test('what is printed holds no password', () => {
  const config = mergeSettings({ master: 'http://user:secret@m:5050' }, {});
  expect(JSON.stringify(printable(config))).not.toContain('secret@');
});

test('executors reach the first address by the host name unless told', () => {
  const config = mergeSettings({ master: 'a:1', listen: ['0.0.0.0:9000'], hostname: 'leader' }, {});
  expect(advertiseUrl(config)).toBe('http://leader:9000');
  expect(advertiseUrl({ ...config, advertiseUrl: 'http://x:1/' })).toBe('http://x:1');
});

test('the default network is there unless the file describes it', async () => {
  expect(await configuredNetworks(undefined)).toEqual([defaultNetwork]);
  const blue = { name: 'blue', vni: 8, cidr: '10.40.0.0/24' };
  const full = { ...blue, domain: 'patchpanel.internal', quarantineSeconds: 300 };
  expect(await withFile(JSON.stringify([blue]), configuredNetworks)).toEqual([defaultNetwork, full]);
  const own = { ...full, name: 'default' };
  expect(await withFile(JSON.stringify([own]), configuredNetworks)).toEqual([own]);
});

test('a wrong networks file is named', async () => {
  await withFile('[{"name":"X"}]', (file) => expect(configuredNetworks(file)).rejects.toThrow(file));
});
