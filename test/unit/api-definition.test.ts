import { beforeEach, describe, expect, test } from '@jest/globals';
import { ApiHarness, webApp } from '../support/api.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

/** The definition as it comes back, and that it comes back the same when it is sent again. */
async function accepted(fields: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { status, body } = await api.call('POST', '/v2/apps', { ...webApp, ...fields });
  expect([status, body['details']]).toEqual([201, undefined]);
  const { body: read } = await api.call<{ app: Record<string, unknown> }>('GET', '/v2/apps/shop/web');
  const again = await api.call('PUT', '/v2/apps/shop/web?force=true', read.app);
  expect([again.status, again.body['details']]).toEqual([200, undefined]);
  const { body: after } = await api.call<{ app: Record<string, unknown> }>('GET', '/v2/apps/shop/web');
  expect(after.app['versionInfo']).toEqual(read.app['versionInfo']);
  return read.app;
}

/** The problems that a definition is refused for, by path; nothing is stored. */
async function refused(fields: Record<string, unknown>): Promise<Record<string, string>> {
  const { status, body } = await api.call('POST', '/v2/apps', { ...webApp, ...fields });
  expect(status).toBe(422);
  expect(api.world.apps.size).toBe(0);
  const details = body['details'] as { path: string; errors: string[] }[];
  return Object.fromEntries(details.map(({ path, errors }) => [path, errors.join('; ')]));
}

const image = { docker: { image: 'web:1' } };
const mapped = (...portMappings: unknown[]) => ({ container: { ...image, portMappings } });

describe('networks', () => {
  test('bridge mode gives every mapping a host port', async () => {
    const app = await accepted({
      ...mapped({ containerPort: 80 }),
      networks: [{ mode: 'container/bridge' }],
    });
    expect(app).toMatchObject({
      networks: [{ mode: 'container/bridge' }],
      container: { portMappings: [{ containerPort: 80, hostPort: 0, servicePort: 10_000 }] },
    });
    const [task] = api.offer();
    expect(api.world.instances.get(task!)).toMatchObject({ bridged: true, hostPorts: [expect.any(Number)] });
    expect(api.world.slots.size).toBe(2);
  });

  test.each([
    ['HOST', undefined, { mode: 'host' }],
    ['BRIDGE', undefined, { mode: 'container/bridge' }],
    ['USER', undefined, { mode: 'container', name: 'default' }],
    [undefined, { networkName: 'default' }, { mode: 'container', name: 'default' }],
    [
      'USER',
      { networkName: 'default', labels: { a: 'b' } },
      { mode: 'container', name: 'default', labels: { a: 'b' } },
    ],
  ])('docker.network %s and ipAddress %j become one network', async (network, ipAddress, expected) => {
    const { networks: _networks, ...rest } = webApp;
    const docker = { image: 'web:1', ...(network === undefined ? {} : { network }) };
    const body = { ...rest, container: { docker }, ...(ipAddress === undefined ? {} : { ipAddress }) };
    const answer = await api.call('POST', '/v2/apps', body);
    expect(answer.status).toBe(201);
    expect(answer.body['networks']).toEqual([expected]);
    expect(answer.body).not.toHaveProperty('ipAddress');
  });

  test('what cannot be together is refused in Marathon’s words', async () => {
    const networks = (...list: unknown[]) => refused({ networks: list });
    expect(await networks({ mode: 'host' }, { mode: 'container' })).toHaveProperty(
      '/networks',
      'May specify a single host network, single bridge network, or else 1-to-n container networks',
    );
    expect(await networks({ name: 'default' }, { name: 'default' })).toHaveProperty(
      '/networks',
      expect.stringContaining('Duplicate networks are not allowed'),
    );
    expect(await networks({ mode: 'container/bridge', name: 'x' })).toHaveProperty(
      '/networks(0)/name',
      'Bridge networks may not have names',
    );
    expect(await refused({ ipAddress: {} })).toHaveProperty(
      '/',
      'must not specify both networks and ipAddress',
    );
    const older = { networks: undefined, ipAddress: { discovery: {} }, ports: [1] };
    expect(await refused({ ...older, ...mapped() })).toEqual({
      '/ipAddress': 'cannot specify both an IP address and port',
      '/ipAddress/discovery': 'ipAddress/discovery is not allowed for Docker containers',
    });
  });
});

describe('ports', () => {
  test('one port of any number is there when none is given, none when the list is empty', async () => {
    const app = await accepted({ container: image });
    expect(app['container']).toMatchObject({
      portMappings: [{ containerPort: 0, name: 'default', protocol: 'tcp', servicePort: 10_000, labels: {} }],
    });
    const none = await api.call('POST', '/v2/apps', { ...webApp, id: '/none', ...mapped() });
    expect(none.body['container']).toMatchObject({ portMappings: [] });
  });

  test('a host port on the switch is taken of the offer', async () => {
    await accepted(
      mapped(
        { containerPort: 80, hostPort: 31_005 },
        { containerPort: 81, hostPort: 0 },
        { containerPort: 82 },
      ),
    );
    const [task] = api.offer();
    expect(api.world.instances.get(task!)?.hostPorts).toEqual([31_005, expect.any(Number)]);
  });

  test("the API's own port is published where the API is not", async () => {
    const exposed = (expose: string) =>
      mapped({ containerPort: 80, labels: { 'patchpanel.expose': expose } });
    await accepted(exposed('8080'));
    await api.call('DELETE', '/v2/apps/shop/web?force=true');
    // Now host-0, where the API is, is known to be a host of the switch.
    api.offer();
    const label = '/container/portMappings(0)/labels/patchpanel.expose';
    for (const expose of ['8080', '8080@host-1,host-0'])
      expect(await refused(exposed(expose))).toHaveProperty([label]);
    await accepted(exposed('8080@host-1'));
  });

  test('ports that could never be had are refused', async () => {
    const twice = { containerPort: 80, hostPort: 31_000 };
    expect(await refused(mapped(twice, { ...twice, protocol: 'udp' }))).toHaveProperty(
      '/container/portMappings',
    );
    expect(await refused(mapped({ containerPort: 80, hostPort: 4789 }))).toHaveProperty(
      '/container/portMappings(0)/hostPort',
    );
    expect(await refused(mapped({ containerPort: 80, networkNames: ['other'] }))).toHaveProperty(
      '/container/portMappings(0)/networkNames',
    );
    expect(await refused(mapped({ labels: { 'patchpanel.expose': '80' } }))).toHaveProperty(
      '/container/portMappings(0)/containerPort',
    );
    const label = '/container/portMappings(0)/labels/patchpanel.expose';
    for (const expose of ['22', '8081@no host'])
      expect(
        await refused(mapped({ containerPort: 80, labels: { 'patchpanel.expose': expose } })),
      ).toHaveProperty([label]);
    const published = mapped({ containerPort: 80, labels: { 'patchpanel.expose': '8081' } });
    await api.call('POST', '/v2/apps', { ...webApp, id: '/published', ...published });
    const { body } = await api.call('POST', '/v2/apps', {
      ...webApp,
      ...mapped({ containerPort: 80, hostPort: 8081 }),
    });
    expect(body['details']).toEqual([
      {
        path: '/container/portMappings(0)/hostPort',
        errors: ["host port 8081 is published for app '/published'"],
      },
    ]);
  });
});

describe('files', () => {
  test('what is to be fetched comes back with its defaults', async () => {
    const app = await accepted({
      fetch: [
        { uri: 'https://files.example/a.tgz' },
        { uri: 'file:///etc/x', extract: false, executable: true, cache: true, destPath: 'bin/x' },
      ],
    });
    expect(app['fetch']).toEqual([
      { uri: 'https://files.example/a.tgz', extract: true, executable: false, cache: false },
      { uri: 'file:///etc/x', extract: false, executable: true, cache: true, destPath: 'bin/x' },
    ]);
  });

  test('the older uris become fetch; archives are known by their names', async () => {
    const app = await accepted({ uris: ['http://files.example/a.zip?x', 'http://files.example/b.txt'] });
    expect(app).not.toHaveProperty('uris');
    expect(app['fetch']).toMatchObject([{ extract: true }, { extract: false }]);
  });

  test('what cannot be fetched is refused', async () => {
    const problems = await refused({
      fetch: [
        { uri: 'nonsense' },
        { uri: 'hdfs://namenode/x' },
        { uri: 'http://files.example/a', destPath: '../a' },
      ],
    });
    expect(problems).toEqual({
      '/fetch(0)/uri': 'URI has invalid syntax.',
      '/fetch(1)/uri': 'hdfs:// is not supported: use http, https or file',
      '/fetch(2)/destPath': 'must be a relative path of a file inside the sandbox',
    });
    const both = { uris: ['http://a.example/a'], fetch: [{ uri: 'http://a.example/a' }] };
    expect(await refused(both)).toEqual({ '/uris': 'may not be set in conjunction with fetch' });
  });

  test('a cluster may forbid files of the host', async () => {
    api = new ApiHarness({ forbidden: ['host-files'] });
    expect(await refused({ uris: ['/etc/docker.tar.gz'] })).toHaveProperty('/fetch');
  });
});

describe('secrets', () => {
  const container = {
    docker: { image: 'web:1', pullConfig: { secret: 'registry' } },
    volumes: [{ containerPath: 'key', secret: 'key' }],
    portMappings: [],
  };

  test('are named, never told', async () => {
    const secrets = { key: { source: 'web/key' }, registry: { source: 'env:REGISTRY' } };
    const app = await accepted({ container, secrets, env: { KEY: { secret: 'key' }, PLAIN: 'x' } });
    expect(app).toMatchObject({ container, secrets, env: { KEY: { secret: 'key' }, PLAIN: 'x' } });
  });

  test('that are not there, or not declared, are refused', async () => {
    expect(
      await refused({ container, secrets: { key: { source: 'missing' } }, env: { A: { secret: 'b' } } }),
    ).toEqual({
      '/secrets/key/source': 'there is no secret "missing"',
      '/env/A': 'references an undefined secret "b"',
      '/container/docker/pullConfig': 'references an undefined secret "registry"',
    });
    const volumes = [{ containerPath: '../x', secret: 's' }];
    expect(
      await refused({ container: { ...image, volumes }, secrets: { s: { source: 's' } } }),
    ).toHaveProperty('/container/volumes(0)/containerPath');
  });
});

describe('run-time fields', () => {
  test('limits and a terminal come back', async () => {
    const fields = { tty: true, cpus: 0.5, mem: 64, resourceLimits: { cpus: 2, mem: 'unlimited' } };
    expect(await accepted(fields)).toMatchObject(fields);
    api = new ApiHarness();
    expect(await refused({ cpus: 2, resourceLimits: { cpus: 1 } })).toEqual({
      '/resourceLimits/cpus': 'resource limit must be greater than or equal to requested resource (2)',
    });
  });

  test('an app that may have one instance at most goes before it comes', async () => {
    const labels = { MARATHON_SINGLE_INSTANCE_APP: 'true' };
    const app = await accepted({ labels, instances: 1 });
    expect(app['upgradeStrategy']).toEqual({ maximumOverCapacity: 0, minimumHealthCapacity: 0 });
    expect(await api.call('PUT', '/v2/groups/shop?force=true', { scaleBy: 2 })).toMatchObject({
      status: 422,
      body: { details: [{ path: '/instances', errors: [expect.stringContaining("app '/shop/web'")] }] },
    });
    api = new ApiHarness();
    const upgradeStrategy = { maximumOverCapacity: 1, minimumHealthCapacity: 0 };
    expect(Object.keys(await refused({ labels, instances: 2, upgradeStrategy }))).toEqual([
      '/instances',
      '/upgradeStrategy/maximumOverCapacity',
    ]);
    expect(await refused({ labels: { DCOS_MIGRATION_API_VERSION: 'v1' } })).toHaveProperty(
      '/labels',
      expect.stringContaining('DCOS_MIGRATION_API_PATH must be defined'),
    );
  });

  const inPlace = { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 };
  const onSwitch = [{ mode: 'container' }];
  test.each<[string, Record<string, unknown>, string]>([
    ['drain', { networks: [{ mode: 'host' }] }, "the host's network"],
    ['swap', { networks: undefined }, "the host's network"],
    ['drain', { networks: onSwitch, instances: 2, upgradeStrategy: inPlace }, 'end first'],
    ['swap', { networks: onSwitch, instances: 2, upgradeStrategy: inPlace }, 'maximumOverCapacity'],
    // Whatever the number.
    ['drain', { networks: onSwitch, instances: 0, upgradeStrategy: inPlace }, 'maximumOverCapacity'],
    ['drain', { networks: onSwitch, instances: 1, labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' } }, 'room'],
  ])('the handover %s that cannot be had with %j is refused', async (mode, fields, why) => {
    const labels = { ...(fields['labels'] as object | undefined), 'patchpanel.handover': mode };
    expect(await refused({ container: image, ...fields, labels })).toEqual({
      '/labels/patchpanel.handover': expect.stringContaining(why),
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ['recreate', { networks: [{ mode: 'host' }] }],
    ['recreate', { networks: onSwitch, upgradeStrategy: inPlace }],
    ['drain', { networks: onSwitch, instances: 2 }],
    // What leaves no move lets one more run.
    ['swap', { networks: onSwitch, upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 } }],
    // There is room for two with four instances, and the number may be another one later.
    [
      'drain',
      {
        networks: onSwitch,
        instances: 3,
        upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.3 },
      },
    ],
  ])('the handover %s that can be had with %j is taken', async (mode, fields) => {
    const labels = { 'patchpanel.handover': mode };
    expect(await accepted({ container: image, ...fields, labels })).toMatchObject({ labels });
  });

  test('a command without an image runs in the image of the cluster, if there is one', async () => {
    const { container: _container, ...rest } = webApp;
    const body = { ...rest, cmd: 'sleep 1' };
    expect((await api.call('POST', '/v2/apps', body)).status).toBe(422);
    api = new ApiHarness({ defaultImage: 'busybox:1' });
    const { body: created } = await api.call('POST', '/v2/apps', body);
    expect(created['container']).toMatchObject({ docker: { image: 'busybox:1' } });
    expect((await api.call('POST', '/v2/apps', { ...rest, id: '/nothing' })).status).toBe(422);
  });

  test('Docker parameters that reach the host are for the operator to allow', async () => {
    const parameters = {
      container: { docker: { image: 'web:1', parameters: [{ key: 'pid', value: 'host' }] } },
    };
    expect(await refused(parameters)).toHaveProperty(
      '/container/docker/parameters(0)/key',
      expect.stringContaining('--allow-docker-parameter pid'),
    );
    api = new ApiHarness({ allowedParameters: ['pid'] });
    await accepted(parameters);
  });

  test.each([
    ['/container/type', { container: { type: 'MESOS', docker: { image: 'web:1' } } }],
    ['/container/linuxInfo', { container: { ...image, linuxInfo: {} } }],
    [
      '/container/volumes(0)',
      { container: { ...image, volumes: [{ containerPath: 'd', persistent: { size: 1 } }] } },
    ],
    ['/container/volumes(0)', { container: { ...image, volumes: [{ containerPath: '/d', external: {} }] } }],
    ['/gpus', { gpus: 1 }],
    ['/check', { check: { tcp: { port: 1 } } }],
    ['/residency', { residency: {} }],
    ['/executorResources', { executorResources: { cpus: 1 } }],
    ['/executor', { executor: '/bin/own' }],
  ])('what cannot be honoured is refused: %s', async (path, fields) => {
    expect(await refused(fields)).toHaveProperty(path);
  });
});
