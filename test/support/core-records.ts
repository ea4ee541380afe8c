import type { App } from '../../src/model/app.ts';
import { agentId, appId, appVersion, executorId, networkName, slotId, taskId } from '../../src/model/ids.ts';
import type { Instance, Lease, Slot } from '../../src/model/instance.ts';
import type { Launch } from '../../scheduler/core/effects.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import type { SchedulerReach, TaskSurroundings } from '../../scheduler/driver/mesos/task-spec.ts';
import { anApp } from './core-bench.ts';

const version = appVersion('2026-11-22T10:00:00.000Z');

/** How executors get to the scheduler of a test. */
export const reach: SchedulerReach = {
  url: 'http://leader:8080',
  tokenOf: (host) => `token of ${host}`,
  authority: undefined,
};

/** What tasks get of a scheduler that has no secrets. */
export const surroundings: TaskSurroundings = {
  envVarsPrefix: '',
  secrets: {
    read: (source) => {
      throw new PatchpanelError('not-found', `there is no secret "${source}"`);
    },
  },
};

/** An app on the default network; what a test is about is given. */
export const appRecord = (of: Partial<App> = {}): App =>
  anApp('/shop/web', {
    mem: 64,
    version,
    versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
    ...of,
  });

export const leaseRecord: Lease = {
  network: networkName('default'),
  ip: '10.32.0.10',
  mac: '0a:07:0a:20:00:0a',
  hostname: '2.web.shop',
};

export const slotRecord = (of: Partial<Slot> = {}): Slot => ({
  id: slotId(appId('/shop/web'), 2),
  appId: appId('/shop/web'),
  index: 2,
  lease: leaseRecord,
  epoch: 3,
  activeEpoch: 3,
  ...of,
});

export const instanceRecord = (of: Partial<Instance> = {}): Instance => ({
  taskId: taskId('shop_web.instance-1b671a64-40d5-491e-99b0-da01ff1f3341._app.3'),
  slotId: slotId(appId('/shop/web'), 2),
  appId: appId('/shop/web'),
  epoch: 3,
  version,
  configVersion: version,
  agentId: agentId('S0'),
  hostname: 'h1.example',
  executorId: executorId('patchpanel-build-12345678'),
  condition: 'provisioned',
  goal: 'run',
  hostPorts: [],
  attributes: {},
  stagedAt: 0,
  since: 0,
  standby: false,
  ...of,
});

export const launchRecord = (of: Partial<Launch> = {}): Launch => ({
  app: appRecord(),
  slot: slotRecord(),
  instance: instanceRecord(),
  executorId: executorId('patchpanel-build-12345678'),
  ...of,
});
