import { expect, test } from '@jest/globals';
import { taskEnvironment, taskPorts } from '../../scheduler/core/offers/task-env.ts';
import type { App, PortMapping } from '../../src/model/app.ts';
import type { Slot } from '../../src/model/instance.ts';
import { appRecord, instanceRecord, slotRecord } from '../support/core-records.ts';

const mapping = (of: Partial<PortMapping>): PortMapping => ({
  containerPort: 80,
  servicePort: 10_000,
  protocol: 'tcp',
  labels: {},
  ...of,
});

const withMappings = (...portMappings: PortMapping[]): App => {
  const app = appRecord();
  return { ...app, container: { ...app.container, portMappings } };
};

const environment = (app: App, hostPorts: readonly number[] = [], prefix = ''): Record<string, string> =>
  taskEnvironment(app, instanceRecord({ hostPorts }), slotRecord(), 'patchpanel.internal', prefix);

test("Marathon's own variables describe the task", () => {
  expect(environment(appRecord({ cpus: 0.25, mem: 64, disk: 0, gpus: 1 }))).toMatchObject({
    MESOS_TASK_ID: 'shop_web.instance-1b671a64-40d5-491e-99b0-da01ff1f3341._app.3',
    MARATHON_APP_ID: '/shop/web',
    MARATHON_APP_VERSION: '2026-11-22T10:00:00.000Z',
    MARATHON_APP_DOCKER_IMAGE: 'web:1',
    MARATHON_APP_RESOURCE_CPUS: '0.25',
    MARATHON_APP_RESOURCE_MEM: '64.0',
    MARATHON_APP_RESOURCE_DISK: '0.0',
    MARATHON_APP_RESOURCE_GPUS: '1',
    MARATHON_APP_LABELS: '',
    HOST: 'h1.example',
  });
});

test('the slot tells its number, address and full name', () => {
  expect(environment(appRecord())).toMatchObject({
    PATCHPANEL_SLOT: '2',
    PATCHPANEL_EPOCH: '3',
    PATCHPANEL_NETWORK: 'default',
    PATCHPANEL_MAC: '0a:07:0a:20:00:0a',
    PATCHPANEL_IP: '10.32.0.10',
    PATCHPANEL_HOSTNAME: '2.web.shop.patchpanel.internal',
  });
});

test("a task on the host's network has a slot but no address", () => {
  const { lease: _lease, ...slot } = slotRecord();
  const app = appRecord({ network: { mode: 'host' } });
  const variables = taskEnvironment(app, instanceRecord(), slot satisfies Slot, undefined, '');
  expect(variables.PATCHPANEL_SLOT).toBe('2');
  expect(variables).not.toHaveProperty('PATCHPANEL_IP');
  expect(variables).not.toHaveProperty('PATCHPANEL_HOSTNAME');
});

test("the user's variables win over everything", () => {
  const env = { HOST: 'mine', PORT0: '1', PATCHPANEL_IP: 'x', OWN: 'y' };
  expect(environment({ ...withMappings(mapping({})), env })).toMatchObject(env);
});

test('labels become variables with safe names, over-long ones are left out', () => {
  const labels = { 'traefik.http--rule': 'Host(`a`)', long: 'x'.repeat(512), ['k'.repeat(493)]: 'v' };
  const variables = environment(appRecord({ labels }));
  expect(variables.MARATHON_APP_LABELS).toBe('TRAEFIK_HTTP_RULE');
  expect(variables.MARATHON_APP_LABEL_TRAEFIK_HTTP_RULE).toBe('Host(`a`)');
  expect(Object.keys(variables).filter((name) => name.startsWith('MARATHON_APP_LABEL_'))).toHaveLength(1);
});

test('a container port without a host port is told, but is not among the ports taken from the host', () => {
  const variables = environment(withMappings(mapping({ containerPort: 8080, name: 'http-api' })));
  expect(variables).toMatchObject({ PORT0: '8080', PORT_8080: '8080', 'PORT_HTTP-API': '8080', PORTS: '' });
  expect(variables).not.toHaveProperty('PORT');
});

test('host ports are handed to the mappings that ask for one, in order', () => {
  const app = withMappings(
    mapping({ containerPort: 80 }),
    mapping({ containerPort: 81, hostPort: 0, name: 'a' }),
    mapping({ containerPort: 82, hostPort: 31_005 }),
  );
  expect(environment(app, [31_000, 31_005])).toMatchObject({
    PORT0: '80',
    PORT1: '31000',
    PORT_81: '31000',
    PORT_A: '31000',
    PORT2: '31005',
    PORT: '31000',
    PORTS: '31000,31005',
  });
});

test('a container port of 0 gets a number that stays the same for the task', () => {
  const app = withMappings(mapping({ containerPort: 0 }));
  const [port] = taskPorts(app, instanceRecord());
  expect(port?.effective).toBeGreaterThanOrEqual(1_025);
  expect(port?.effective).toBeLessThanOrEqual(32_767);
  expect(taskPorts(app, instanceRecord())).toEqual([port]);
  expect(environment(app).PORT).toBe(String(port?.effective));
});

test("on the host's network the definitions get the ports of the offer", () => {
  const app = appRecord({
    network: { mode: 'host' },
    portDefinitions: [
      { port: 0, protocol: 'tcp', labels: {} },
      { port: 9_000, protocol: 'udp', name: 'x', labels: {} },
    ],
  });
  expect(environment(app, [31_001, 31_002])).toMatchObject({
    PORT: '31001',
    PORTS: '31001,31002',
    PORT0: '31001',
    PORT_31001: '31001',
    PORT1: '31002',
    PORT_9000: '31002',
    PORT_X: '31002',
  });
});

test('without ports there are no port variables at all', () => {
  expect(Object.keys(environment(appRecord())).filter((name) => name.startsWith('PORT'))).toEqual([]);
});

test('a prefix goes before the names of host and ports, and no others', () => {
  const variables = environment(withMappings(mapping({ hostPort: 0 })), [31_000], 'MY_');
  expect(variables).toMatchObject({
    MY_HOST: 'h1.example',
    MY_PORT0: '31000',
    MY_PORT_80: '31000',
    PATCHPANEL_SLOT: '2',
  });
  expect(Object.keys(variables).filter((name) => /^(HOST|PORT)/.test(name))).toEqual([]);
});

test('what is a secret is not among the variables that are known here', () => {
  expect(environment(appRecord({ env: { A: 'x', B: { secret: 'b' } } }))).toMatchObject({ A: 'x' });
  expect(environment(appRecord({ env: { B: { secret: 'b' } } }))).not.toHaveProperty('B');
});
