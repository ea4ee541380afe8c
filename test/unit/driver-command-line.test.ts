import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readCommandLine } from '../../scheduler/command-line.ts';
import { readSettings } from '../../scheduler/config-sources.ts';
import { advertiseUrl, printable } from '../../scheduler/config.ts';
import { configuredNetworks, defaultNetwork } from '../../scheduler/driver/configured-networks.ts';

const mergeSettings = (...given: Parameters<typeof readSettings>) => readSettings(...given).config;

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
  [{ master: 'http://ann:pw@a:1' }, '--master: cannot hold a user'],
  [{ master: 'a:1', pathPrefix: 'service' }, '--path-prefix: must be a path'],
  [{ master: 'a:1', user: 'ann:secret' }, '--user: is no name of a system user'],
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
  const config = mergeSettings({ master: 'zk://user:hidden@a:2181,b:2181/mesos', secret: 'hidden too' }, {});
  expect(JSON.stringify(printable(config))).not.toContain('hidden');
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

test('what is wrong is named by where it was given, and an unknown name with the nearest known one', async () => {
  const by = (environment: Record<string, string>) => () => readSettings({ master: 'a:1' }, environment);
  expect(by({ PATCHPANEL_EXECUTOR_MEM: 'much' })).toThrow('PATCHPANEL_EXECUTOR_MEM: ');
  expect(by({ MARATHON_TASK_LAUNCH_TIMEOUT: 'soon' })).toThrow('MARATHON_TASK_LAUNCH_TIMEOUT: ');
  await withFile('{"state-dir": "/x", "colour": "red", "rateLimit": -1}', (file) => {
    const settings = () => mergeSettings({ config: file, master: 'a:1' }, {});
    expect(settings).toThrow(`unknown setting state-dir in ${file}; did you mean stateDir?`);
    expect(settings).toThrow(`unknown setting colour in ${file}; --help lists all`);
    expect(settings).toThrow(`rateLimit in ${file}: `);
  });
  expect(readCommandLine(['--mastr', 'a:1'], {})).toEqual({ kind: 'done', exitCode: 112 });
});

test('a file may be YAML with comments', async () => {
  const text = '# ours\nmaster: [a:1, b:2]  # two\nforbid: privileged\n';
  expect(await withFile(text, (file) => mergeSettings({ config: file }, {}))).toMatchObject({
    master: ['a:1', 'b:2'],
    forbid: ['privileged'],
  });
  await withFile('- a\n- b\n', (file) =>
    expect(() => mergeSettings({ config: file }, {})).toThrow(`${file} must hold settings`),
  );
});

test("Marathon's variables are understood, in its units, below ours and above the file", async () => {
  const environment = {
    MARATHON_MASTER: 'm1:5050',
    MARATHON_HTTP_PORT: '9000',
    MARATHON_ZK: 'zk://ann:pw@z1:2181,z2:2181/marathon',
    MARATHON_MESOS_ROLE: 'theirs',
    MARATHON_FRAMEWORK_NAME: 'theirs',
    MARATHON_TASK_LAUNCH_TIMEOUT: '1800000',
    MARATHON_LOGGING_LEVEL: 'TRACE',
    PATCHPANEL_FRAMEWORK_NAME: 'ours',
  };
  const config = await withFile('role: of the file', (file) => mergeSettings({ config: file }, environment));
  expect(config).toMatchObject({
    master: ['m1:5050'],
    listen: [{ host: '0.0.0.0', port: 9000, tls: false }],
    zk: 'zk://ann:pw@z1:2181,z2:2181/marathon/patchpanel',
    role: 'theirs',
    frameworkName: 'ours',
    launchTimeout: 1800,
    logLevel: 'debug',
  });
});

test("Marathon's addresses: with TLS where it has a port for it, without plain HTTP where that is disabled", () => {
  const listen = (environment: Record<string, string>) =>
    mergeSettings({ master: 'a:1' }, environment).listen.map(
      ({ host, port, tls }) => `${tls ? 'https' : 'http'} ${host} ${port}`,
    );
  expect(listen({ MARATHON_HTTP_ADDRESS: '192.0.2.1', MARATHON_HTTPS_PORT: '8444' })).toEqual([
    'http 192.0.2.1 8080',
    'https 0.0.0.0 8444',
  ]);
  expect(listen({ MARATHON_DISABLE_HTTP: '', MARATHON_HTTPS_ADDRESS: '192.0.2.1' })).toEqual([
    'https 192.0.2.1 8443',
  ]);
});

test('variables without effect and likely slips are told; those of the command line and of tasks are not', () => {
  const { remarks } = readSettings(
    { master: 'a:1' },
    {
      PATCHPANEL_STATEDIR: '/x',
      PATCHPANEL_URL: 'http://x',
      PATCHPANEL_SLOT: '0',
      PATCHPANEL_IP: '10.32.0.3',
      MARATHON_PLUGIN_DIR: '/p',
      MARATHON_APP_ID: '/patchpanel',
      OTHER: 'x',
    },
  );
  expect(remarks).toEqual([
    'PATCHPANEL_STATEDIR is no setting; did you mean PATCHPANEL_STATE_DIR?',
    'MARATHON_PLUGIN_DIR has no effect on Patchpanel',
  ]);
});

test('a task listens on the port that it was given and is known by its agent, unless something else is said', () => {
  const task = { MESOS_TASK_ID: 't', PORT0: '31007', HOST: 'h1.example', PATCHPANEL_MASTER: 'a:1' };
  const known = (environment: Record<string, string>) => {
    const config = mergeSettings({}, environment);
    return advertiseUrl(config);
  };
  expect(known(task)).toBe('http://h1.example:31007');
  expect(known({ ...task, LIBPROCESS_IP: '192.0.2.7' })).toBe('http://192.0.2.7:31007');
  expect(known({ ...task, PATCHPANEL_HOSTNAME: 'lb', PATCHPANEL_LISTEN: '0.0.0.0:80' })).toBe('http://lb:80');
  const { MESOS_TASK_ID: _, ...noTask } = task;
  expect(mergeSettings({}, noTask).listen).toEqual([{ host: '127.0.0.1', port: 8080, tls: false }]);
});

test('one zk:// address names all masters, and its commas are its own', () => {
  const master = 'zk://zk1:2181,zk2:2181/mesos';
  expect(mergeSettings({}, { PATCHPANEL_MASTER: master }).master).toEqual([master]);
  expect(() => mergeSettings({ master: [master, 'a:5050'] }, {})).toThrow('give it alone');
  expect(() => mergeSettings({ master: ['zk://ann@zk1/mesos'] }, {})).toThrow('--master: this is not');
});

test('the tree of the state needs a path, and its password is not printed', () => {
  const zk = 'zk://ann:secret@zk1,zk2/patchpanel';
  const config = mergeSettings({ master: ['zk://bob:word@zk1/mesos'], zk }, {});
  expect(config).toMatchObject({ zk, zkSessionTimeout: 10 });
  expect(printable(config)).toMatchObject({
    zk: 'zk://ann:***@zk1,zk2/patchpanel',
    master: ['zk://bob:***@zk1/mesos'],
  });
  expect(() => mergeSettings({ master: ['a:1'], zk: 'zk://zk1' }, {})).toThrow('needs a path of its own');
  expect(() => mergeSettings({ master: ['a:1'], zk: 'zk1:2181/x' }, {})).toThrow('--zk');
});
