import { expect, test } from '@jest/globals';
import type { App } from '../../src/model/app.ts';
import { executorInfo } from '../../scheduler/driver/mesos/executor-info.ts';
import { frameworkInfo } from '../../scheduler/driver/mesos/framework-info.ts';
import { offerOf } from '../../scheduler/driver/mesos/offers.ts';
import { statusOf } from '../../scheduler/driver/mesos/statuses.ts';
import { taskInfos } from '../../scheduler/driver/mesos/task-info.ts';
import { taskSpec } from '../../scheduler/driver/mesos/task-spec.ts';
import type { Offer, Resource } from '../../proto/mesos.gen.ts';
import { mesosCodec } from '../../src/mesos/codec.ts';
import { reservedRole } from '../../src/mesos/resources.ts';
import type { Accepted } from '../../scheduler/core/offers/offer-pool.ts';
import { accept } from '../../src/mesos/calls.ts';
import { executorId, frameworkId, offerId, taskId } from '../../src/model/ids.ts';
import { taskSpecSchema } from '../../src/model/task-spec.ts';
import {
  appRecord,
  instanceRecord,
  launchRecord,
  slotRecord,
  surroundings,
  reach,
} from '../support/core-records.ts';
import { network } from '../support/fabric-views.ts';

const scalar = (name: string, value: number, role?: string): Resource => ({
  name,
  type: 'SCALAR',
  scalar: { value },
  allocation_info: { role: 'web' },
  ...(role === undefined ? {} : { reservations: [{ role, type: 'STATIC' as const }] }),
});
const ports = (begin: number, end: number): Resource => ({
  name: 'ports',
  type: 'RANGES',
  ranges: { range: [{ begin, end }] },
  allocation_info: { role: 'web' },
});

const executor = executorInfo(
  {
    frameworkId: frameworkId('F'),
    bundleUrl: 'http://leader:8080/executor/patchpanel-executor-0123456789ab.tar.gz',
    user: 'root',
    resources: [scalar('cpus', 0.1), scalar('mem', 128)],
    shutdownGraceMs: 60_000,
  },
  executorId('patchpanel-build-12345678'),
);

const prepared = (launch = launchRecord(), accepted: Accepted = 'any') => ({
  launch,
  spec: () => taskSpec(launch, network('default', 7, '10.32.0.0/16'), reach, surroundings),
  accepted,
  executor,
});

test('the framework asks for what the scheduler relies on', () => {
  const info = frameworkInfo(
    {
      user: 'root',
      frameworkName: 'patchpanel',
      role: 'web',
      principal: 'pp',
      hostname: 'leader',
      webUiUrl: 'http://leader:8080',
      failoverTimeoutSeconds: 604_800,
    },
    frameworkId('F'),
  );
  expect(info).toEqual({
    user: 'root',
    name: 'patchpanel',
    id: { value: 'F' },
    roles: ['web'],
    capabilities: [
      { type: 'PARTITION_AWARE' },
      { type: 'TASK_KILLING_STATE' },
      { type: 'MULTI_ROLE' },
      { type: 'REGION_AWARE' },
      { type: 'RESERVATION_REFINEMENT' },
    ],
    checkpoint: true,
    failover_timeout: 604_800,
    hostname: 'leader',
    webui_url: 'http://leader:8080',
    principal: 'pp',
  });
});

test('an executor runs the Node of its own bundle', () => {
  expect(executor).toMatchObject({
    type: 'CUSTOM',
    command: {
      shell: true,
      value: 'exec ./patchpanel-executor/node patchpanel-executor/executor.cjs',
      user: 'root',
      uris: [{ extract: true, cache: true }],
    },
    resources: [scalar('cpus', 0.1), scalar('mem', 128)],
    shutdown_grace_period: { nanoseconds: 60_000_000_000 },
  });
});

test('a grace period that Mesos cannot say is the longest that it can', () => {
  const { spec, ...rest } = prepared();
  const one = { ...rest, spec: () => ({ ...spec(), killGraceMs: Number.MAX_SAFE_INTEGER }) };
  const [info] = taskInfos([one], [scalar('cpus', 4), scalar('mem', 512)], new Set())!;
  for (const encoding of ['protobuf', 'json'] as const) {
    const written = mesosCodec.encode('TaskInfo', info!, encoding);
    expect(mesosCodec.decode('TaskInfo', written, encoding).kill_policy).toEqual(info!.kill_policy);
  }
});

test('an offer is told with sums by reservation, attributes, fault domain and maintenance', () => {
  const offer: Offer = {
    id: { value: 'O1' },
    framework_id: { value: 'F' },
    agent_id: { value: 'S0' },
    hostname: 'h1',
    url: { scheme: 'http', address: { ip: '10.0.0.1', port: 15_051 } },
    resources: [scalar('cpus', 1.5), scalar('cpus', 2, 'web'), scalar('mem', 512), ports(31_000, 31_010)],
    executor_ids: [{ value: 'E1' }],
    attributes: [
      { name: 'rack', type: 'TEXT', text: { value: 'r1' } },
      { name: 'weight', type: 'SCALAR', scalar: { value: 1.5 } },
      {
        name: 'range',
        type: 'RANGES',
        ranges: {
          range: [
            { begin: 5, end: 7 },
            { begin: 1, end: 2 },
          ],
        },
      },
      { name: 'set', type: 'SET', set: { item: ['b', 'a'] } },
      { name: 'rack', type: 'TEXT', text: { value: 'second' } },
    ],
    domain: { fault_domain: { region: { name: 'eu' }, zone: { name: 'a' } } },
    unavailability: {
      start: { nanoseconds: 1_700_000_000_123_456_000 },
      duration: { nanoseconds: 5_000_000_000 },
    },
  };
  expect(offerOf(offer)).toEqual({
    id: 'O1',
    agentId: 'S0',
    hostname: 'h1',
    agentPort: 15_051,
    scalars: { cpus: 1_500, mem: 512_000, disk: 0, gpus: 0 },
    reserved: { scalars: { cpus: 2_000, mem: 0, disk: 0, gpus: 0 }, ports: [] },
    ports: [{ begin: 31_000, end: 31_010 }],
    attributes: { rack: 'r1', weight: '1.5', range: '[1-2,5-7]', set: '{a,b}' },
    executorIds: ['E1'],
    region: 'eu',
    zone: 'a',
    unavailableFrom: 1_700_000_000_123,
    unavailableUntil: 1_700_000_005_123,
  });
});

test('an empty uuid is none, so that it is not acknowledged', () => {
  const status = { task_id: { value: 't' }, state: 'TASK_GONE_BY_OPERATOR', uuid: new Uint8Array() } as const;
  expect(statusOf(status)).toEqual({ taskId: 't', condition: 'gone-by-operator' });
});

test('a status keeps what the core decides from', () => {
  const uuid = new Uint8Array(16).fill(7);
  expect(
    statusOf({
      task_id: { value: 't' },
      state: 'TASK_FAILED',
      agent_id: { value: 'S0' },
      executor_id: { value: 'E' },
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: 'gone',
      healthy: false,
      uuid,
    }),
  ).toEqual({
    taskId: 't',
    condition: 'failed',
    agentId: 'S0',
    executorId: 'E',
    reason: 'REASON_EXECUTOR_TERMINATED',
    message: 'gone',
    healthy: false,
    uuid,
  });
});

test('what the executor gets is complete and fits its schema', () => {
  const spec = prepared().spec();
  expect(taskSpecSchema.parse(spec)).toEqual(spec);
  expect(spec).toMatchObject({
    slot: '/shop/web#2',
    slotIndex: 2,
    epoch: 3,
    killGraceMs: 3_000,
    network: {
      mode: 'switch',
      name: 'default',
      ip: '10.32.0.10',
      prefixLength: 16,
      mac: '0a:07:0a:20:00:0a',
      gateway: '10.32.0.1',
      hostname: '2-web-shop',
      domain: 'patchpanel.internal',
      dns: ['10.32.0.2'],
    },
    schedulerUrl: 'http://leader:8080',
  });
});

test('health checks reach the executor with numbers for ports and milliseconds for times', () => {
  const times = { gracePeriodSeconds: 30, timeoutSeconds: 0, maxConsecutiveFailures: 3, delaySeconds: 15 };
  const check = { ...times, intervalSeconds: 0, ignoreHttp1xx: false };
  const app = appRecord({
    container: {
      ...appRecord().container,
      portMappings: [{ containerPort: 8080, servicePort: 1, protocol: 'tcp', labels: {} }],
    },
    healthChecks: [
      { ...check, protocol: 'HTTP', path: 'up', portIndex: 0 },
      { ...check, protocol: 'MESOS_TCP', port: 99 },
      { ...check, protocol: 'COMMAND', command: 'true' },
      // Stored before there was a bound: a timer takes such a time for none.
      { ...check, protocol: 'MESOS_TCP', port: 98, intervalSeconds: 2_147_484, timeoutSeconds: 2_147_484 },
    ],
  });
  const spec = prepared(launchRecord({ app })).spec();
  const ms = { graceMs: 30_000, intervalMs: 1000, timeoutMs: 1000, maxConsecutiveFailures: 3 };
  const http = { kind: 'http', scheme: 'http', port: 8080, path: '/up', ignore1xx: false };
  expect(spec.healthChecks).toEqual([
    { probe: http, delayMs: 0, ...ms },
    { probe: { kind: 'tcp', port: 99 }, delayMs: 15_000, ...ms },
    { probe: { kind: 'command', command: 'true' }, delayMs: 15_000, ...ms },
    {
      probe: { kind: 'tcp', port: 98 },
      delayMs: 15_000,
      ...ms,
      intervalMs: 2_147_484_000,
      timeoutMs: 86_400_000,
    },
  ]);
  expect(taskSpecSchema.parse(spec)).toEqual(spec);
});

test("on the host's network a health check goes to the port that the task was given", () => {
  const { lease: _lease, ...slot } = slotRecord();
  const app = appRecord({
    network: { mode: 'host' },
    portDefinitions: [{ port: 10_000, protocol: 'tcp', labels: {} }],
    healthChecks: [
      {
        protocol: 'TCP',
        portIndex: 0,
        gracePeriodSeconds: 1,
        intervalSeconds: 1,
        timeoutSeconds: 1,
        maxConsecutiveFailures: 1,
        delaySeconds: 1,
        ignoreHttp1xx: false,
      },
    ],
  });
  const launch = launchRecord({ slot, app, instance: instanceRecord({ hostPorts: [31_005] }) });
  expect(taskSpec(launch, undefined, reach, surroundings).healthChecks[0]?.probe).toEqual({
    kind: 'tcp',
    port: 31_005,
  });
});

test('a readiness check goes to the port of that name', () => {
  const app = appRecord({
    container: {
      ...appRecord().container,
      portMappings: [
        { containerPort: 80, servicePort: 1, protocol: 'tcp', name: 'http', labels: {} },
        { containerPort: 8081, servicePort: 2, protocol: 'tcp', name: 'admin', labels: {} },
      ],
    },
    readinessChecks: [
      {
        name: 'up',
        protocol: 'HTTPS',
        path: '/up',
        portName: 'admin',
        intervalSeconds: 5,
        timeoutSeconds: 2,
        httpStatusCodesForReady: [200, 204],
        preserveLastResponse: true,
      },
    ],
  });
  const spec = prepared(launchRecord({ app })).spec();
  expect(spec.readinessCheck).toEqual({
    probe: {
      kind: 'http',
      scheme: 'https',
      port: 8081,
      path: '/up',
      ignore1xx: false,
      statuses: [200, 204],
      keepsResponse: true,
    },
    intervalMs: 5000,
    timeoutMs: 2000,
  });
  expect(taskSpecSchema.parse(spec)).toEqual(spec);
});

test('the results of health checks are read from the data of a status, and other data is none', () => {
  const result = { alive: true, consecutiveFailures: 0, exhausted: false, firstSuccess: 5, lastSuccess: 5 };
  const read = (data: string) =>
    statusOf({ task_id: { value: 't' }, state: 'TASK_RUNNING', data: new TextEncoder().encode(data) });
  expect(read(JSON.stringify({ startMs: 3, health: [result, null] })).checkResults).toEqual([result, null]);
  expect(read(JSON.stringify({ startMs: 3 }))).not.toHaveProperty('checkResults');
  expect(read('no json')).not.toHaveProperty('checkResults');
});

test('readiness and the answer to its check are read from the data of a status, but no answer that is too long', () => {
  const read = (data: object) =>
    statusOf({
      task_id: { value: 't' },
      state: 'TASK_RUNNING',
      data: new TextEncoder().encode(JSON.stringify(data)),
    });
  const response = { status: 503, contentType: 'text/plain', body: 'x'.repeat(4096) };
  expect(read({ ready: false, response })).toMatchObject({ ready: false, lastResponse: response });
  const long = read({ ready: true, response: { ...response, body: 'x'.repeat(4097) } });
  expect(long).toMatchObject({ ready: true });
  expect(long).not.toHaveProperty('lastResponse');
});

test("a task on the host's network needs no network", () => {
  const { lease: _lease, ...slot } = slotRecord();
  const launch = launchRecord({ slot, app: appRecord({ network: { mode: 'host' } }) });
  expect(taskSpec(launch, undefined, reach, surroundings).network).toEqual({ mode: 'host' });
});

test('a lease without its network is refused', () => {
  expect(() => taskSpec(launchRecord(), undefined, reach, surroundings)).toThrow('the network default');
});

test('a task info carries the app for our executor and for those who look at Mesos', () => {
  const app = appRecord({
    labels: { team: 'a' },
    taskKillGracePeriodSeconds: 7,
    container: {
      ...appRecord().container,
      portMappings: [
        { containerPort: 53, servicePort: 1, protocol: 'udp,tcp', name: 'dns', labels: { l: '1' } },
        { containerPort: 80, hostPort: 0, servicePort: 2, protocol: 'tcp', labels: {} },
      ],
    },
  });
  const launch = launchRecord({ app, instance: instanceRecord({ hostPorts: [31_003] }) });
  const infos = taskInfos(
    [prepared(launch)],
    [scalar('cpus', 4), scalar('mem', 512), ports(31_000, 31_010)],
    new Set(),
  );
  const info = infos![0]!;
  expect(info.name).toBe('web.shop');
  expect(info.resources).toEqual([scalar('cpus', 0.1), scalar('mem', 64), ports(31_003, 31_003)]);
  expect(info.executor).toBe(executor);
  expect(JSON.parse(Buffer.from(info.data!).toString())).toMatchObject({ schema: 1, killGraceMs: 7_000 });
  expect(info.labels).toEqual({ labels: [{ key: 'team', value: 'a' }] });
  expect(info.kill_policy).toEqual({ grace_period: { nanoseconds: 7_000_000_000 } });
  const inContainer = [
    { key: 'l', value: '1' },
    { key: 'network-scope', value: 'container' },
    { key: 'network-name', value: 'default' },
  ];
  expect(info.discovery).toEqual({
    visibility: 'FRAMEWORK',
    name: 'web.shop',
    ports: {
      ports: [
        { number: 53, protocol: 'udp', name: 'dns', labels: { labels: inContainer } },
        { number: 53, protocol: 'tcp', name: 'dns', labels: { labels: inContainer } },
        { number: 31_003, protocol: 'tcp', labels: { labels: [{ key: 'network-scope', value: 'host' }] } },
      ],
    },
  });
});

test('what is built goes through either encoding unchanged', () => {
  const infos = taskInfos([prepared()], [scalar('cpus', 4), scalar('mem', 512)], new Set())!;
  const call = { ...accept([offerId('O1')], infos, 0), framework_id: { value: 'F' } };
  for (const encoding of ['protobuf', 'json'] as const) {
    const bytes = mesosCodec.encode('SchedulerCall', call, encoding);
    const decoded = mesosCodec.decode('SchedulerCall', bytes, encoding);
    expect(decoded.accept?.operations?.[0]?.launch?.task_infos?.[0]?.data).toEqual(infos[0]!.data);
  }
});

test('secrets are in the specification of a task alone, and one that is gone makes it one that is refused', () => {
  const read = (source: string): Buffer => {
    if (source === 'db/password') return Buffer.from('hunter2\n');
    throw new Error(`there is no secret "${source}"`);
  };
  const around = { ...surroundings, secrets: { read } };
  const { container } = appRecord();
  const app = appRecord({
    secrets: { password: { source: 'db/password' } },
    env: { PASSWORD: { secret: 'password' } },
    container: {
      ...container,
      volumes: [
        { containerPath: 'key', secret: 'password' },
        { containerPath: '/data', hostPath: '/srv', mode: 'RW' },
      ],
      pullConfig: { secret: 'password' },
    },
  });
  const specOf = (of: App) =>
    taskSpec(launchRecord({ app: of }), network('default', 7, '10.32.0.0/16'), reach, around);
  expect(specOf(app)).toMatchObject({
    env: { PASSWORD: 'hunter2' },
    secretFiles: [
      { containerPath: '/mnt/mesos/sandbox/key', content: Buffer.from('hunter2\n').toString('base64') },
    ],
    pullConfig: 'hunter2\n',
    volumes: [{ containerPath: '/data', hostPath: '/srv', mode: 'RW' }],
  });
  const gone = specOf({ ...app, secrets: { password: { source: 'gone' } } });
  expect(gone).toMatchObject({ problem: 'there is no secret "gone"', secretFiles: [] });
  expect(gone.env).not.toHaveProperty('PASSWORD');
});

test('a task takes only what it accepts: reserved for nobody, or reserved', () => {
  const offered = [
    scalar('cpus', 1),
    scalar('cpus', 1, 'web'),
    scalar('mem', 512),
    scalar('mem', 512, 'web'),
  ];
  const rolesOf = (accepted: Accepted) =>
    taskInfos(
      [prepared(launchRecord(), accepted)],
      offered,
      new Set([executor.executor_id.value]),
    )![0]!.resources!.map((resource) => reservedRole(resource));
  expect(rolesOf('any')).toEqual(['web', 'web']);
  expect(rolesOf('reserved')).toEqual(['web', 'web']);
  expect(rolesOf('unreserved')).toEqual(['*', '*']);
  const wanted = [prepared(launchRecord(), 'reserved')];
  expect(taskInfos(wanted, [scalar('cpus', 1), scalar('mem', 512)], new Set())).toBeUndefined();
});

test('several tasks share the offers without using anything twice, and a new executor gets its part', () => {
  const launches = [1, 2, 3].map((n) =>
    prepared(launchRecord({ instance: instanceRecord({ taskId: taskId(`t${n}`) }) })),
  );
  const enough = [
    scalar('cpus', 0.2),
    scalar('cpus', 0.2, 'web'),
    scalar('mem', 128),
    scalar('mem', 192, 'web'),
  ];
  const infos = taskInfos(launches, enough, new Set());
  const sum = (name: string): number =>
    infos!
      .flatMap(({ resources }) => resources ?? [])
      .reduce((total, resource) => total + (resource.name === name ? (resource.scalar?.value ?? 0) : 0), 0);
  expect(sum('cpus')).toBeCloseTo(0.3);
  expect(sum('mem')).toBe(192);
  const tooLittle = [scalar('cpus', 0.3), scalar('mem', 320)];
  expect(taskInfos(launches, tooLittle, new Set())).toBeUndefined();
  expect(taskInfos(launches, tooLittle, new Set([executor.executor_id.value]))).toHaveLength(3);
});
