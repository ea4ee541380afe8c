import { defaultInterconnect } from '../../src/fabric/interconnect.ts';
import type { App } from '../../src/model/app.ts';
import {
  agentId,
  appId,
  appVersion,
  frameworkId,
  networkName,
  offerId,
  slotId,
} from '../../src/model/ids.ts';
import type { AgentId, SlotId, TaskId } from '../../src/model/ids.ts';
import type { Condition, Instance, Slot } from '../../src/model/instance.ts';
import type { Network } from '../../src/model/network.ts';
import type { Effect, Frame, Launch } from '../../scheduler/core/effects.ts';
import type { Change, ChangeResult, Event, Offer, StatusUpdate } from '../../scheduler/core/events.ts';
import { createWorld, restore } from '../../scheduler/core/restore.ts';
import { step } from '../../scheduler/core/step.ts';
import type { Settings, World } from '../../scheduler/core/world.ts';
import type { StoredRecord } from '../../scheduler/store/store.ts';

export const defaultNetwork: Network = {
  name: networkName('default'),
  vni: 7,
  cidr: '10.32.0.0/16',
  domain: 'patchpanel.internal',
  quarantineSeconds: 300,
};

export const settings: Settings = {
  role: 'patchpanel',
  rules: { forbidden: [], allowedParameters: new Set() },
  maxVersions: 5,
  maxRevisions: 20,
  maxRunningDeployments: 100,
  maxEndedDeployments: 10,
  deploymentDeadlineMs: undefined,
  executorResources: { cpus: 100, mem: 64_000 },
  placement: 'spread',
  acceptedByDefault: 'any',
  launchTokens: 0,
  launchTokenIntervalMs: 30_000,
  maxInstancesPerOffer: 0,
  drainingMs: 600_000,
  declineSeconds: 120,
  minReviveIntervalMs: 5_000,
  killRetryMs: 5_000,
  launchTimeoutMs: 300_000,
  reconcileIntervalMs: 600_000,
  flipDeadlineMs: 5_000,
  unreachableKeepMs: 3_600_000,
  defaultNetwork: defaultNetwork.name,
  api: { hostname: 'api.example', ports: [8080] },
  interconnect: defaultInterconnect,
  executorBuild: 'test',
  buildExecutorInfo: (executorId) => ({ executor_id: { value: executorId } }),
  isOfOurRole: () => true,
  reservedOfExecutor: () => ({ cpus: 0, mem: 0 }),
};

/** An app with every default; `id` and what the test is about are given. */
export function anApp(id: string, fields: Partial<App> = {}): App {
  return {
    id: appId(id),
    args: [],
    instances: 1,
    cpus: 0.1,
    mem: 32,
    disk: 0,
    gpus: 0,
    env: {},
    labels: {},
    container: {
      image: 'web:1',
      forcePullImage: false,
      privileged: false,
      parameters: [],
      volumes: [],
      portMappings: [],
    },
    network: { mode: 'container', name: defaultNetwork.name, labels: {}, pinned: [] },
    portDefinitions: [],
    requirePorts: false,
    constraints: [],
    acceptedResourceRoles: [],
    role: 'patchpanel',
    dependencies: [],
    fetch: [],
    healthChecks: [],
    readinessChecks: [],
    backoffSeconds: 1,
    backoffFactor: 2,
    maxLaunchDelaySeconds: 300,
    upgradeStrategy: { maximumOverCapacity: 1, minimumHealthCapacity: 1 },
    unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    killSelection: 'YOUNGEST_FIRST',
    executor: '',
    version: appVersion('1970-01-01T00:00:00.000Z'),
    versionInfo: {
      lastScalingAt: appVersion('1970-01-01T00:00:00.000Z'),
      lastConfigChangeAt: appVersion('1970-01-01T00:00:00.000Z'),
    },
    ...fields,
  };
}

/** Pins the app's slots to these addresses. */
export const pinned = (...ips: string[]): Pick<App, 'network'> => ({
  network: {
    mode: 'container',
    name: defaultNetwork.name,
    labels: { 'patchpanel.ip': ips.join(',') },
    pinned: ips,
  },
});

export function anOffer(agent: string, fields: Partial<Offer> = {}): Offer {
  return {
    id: offerId(`offer-${agent}`),
    agentId: agentId(agent),
    hostname: `${agent}.example`,
    scalars: { cpus: 4_000, mem: 4_096_000, disk: 10_000_000, gpus: 0 },
    ports: [{ begin: 31_000, end: 32_000 }],
    attributes: {},
    executorIds: [],
    ...fields,
  };
}

/** A world under a hand-moved clock, with what left it; each step's writes are kept as the store would keep them. */
export class CoreBench {
  world: World = createWorld();
  now = 1_000_000;
  /** The frame of the last event. */
  frame: Frame = { writes: [], effects: [] };
  readonly store = new Map<string, StoredRecord>();
  readonly settings: Settings;
  /** Hosts whose executors read their views. */
  readonly connected = new Set<AgentId>();
  #uuids = 0;

  constructor(overrides: Partial<Settings> = {}) {
    this.settings = { ...settings, ...overrides };
    this.change({ kind: 'put-network', network: defaultNetwork });
    this.step({ kind: 'subscribed', frameworkId: frameworkId('framework-1') });
  }

  step(event: Event): Frame {
    this.frame = step(this.world, this.settings, event, {
      now: this.now,
      uuid: () => this.uuid(),
      isConnected: (host) => this.connected.has(host),
    });
    for (const { kind, key, value } of this.frame.writes) {
      if (value === undefined) this.store.delete(`${kind} ${key}`);
      else
        this.store.set(`${kind} ${key}`, { kind, key, value: JSON.parse(JSON.stringify(value)) as unknown });
    }
    return this.frame;
  }

  uuid(): string {
    this.#uuids++;
    return `${this.#uuids.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
  }

  change(change: Change): ChangeResult {
    const { result } = this.step({ kind: 'change', change });
    if (result === undefined) throw new Error('a change has a result');
    return result;
  }

  put(app: App, force = false): ChangeResult {
    return this.change({ kind: 'put-apps', apps: [app], force });
  }

  /** Moves the clock in ticks of a second. */
  wait(seconds: number): Effect[] {
    const effects: Effect[] = [];
    for (let i = 0; i < seconds; i++) {
      this.now += 1_000;
      effects.push(...this.step({ kind: 'tick' }).effects);
    }
    return effects;
  }

  /** Offers the agents' resources and returns what was launched. */
  offer(...offers: (string | Offer)[]): Launch[] {
    const full = offers.map((offer) => (typeof offer === 'string' ? anOffer(offer) : offer));
    return launchesOf(this.step({ kind: 'offers', offers: full }));
  }

  status(task: TaskId | Instance, condition: Condition, fields: Partial<StatusUpdate> = {}): Frame {
    const taskId = typeof task === 'string' ? task : task.taskId;
    const instance = this.world.instances.get(taskId);
    const status: StatusUpdate = {
      taskId,
      condition,
      ...(instance === undefined ? {} : { agentId: instance.agentId }),
      ...fields,
    };
    return this.step({ kind: 'status', status });
  }

  /** Reports each of these, or all that are not running yet, as running. */
  run(
    launches: readonly Launch[] = [...this.world.instances.values()]
      .filter(isStarting)
      .map((instance) => ({ instance }) as Launch),
  ): void {
    for (const { instance } of launches) this.status(instance, 'running');
  }

  /** Puts the app and gets all of its instances running on the agents. */
  deploy(app: App, ...agents: string[]): void {
    const result = this.put(app);
    if (result.kind !== 'accepted') throw new Error(`refused: ${JSON.stringify(result)}`);
    this.run(this.offer(...(agents.length > 0 ? agents : ['a1', 'a2', 'a3'])));
  }

  slot(app: string, index = 0): Slot {
    const slot = this.world.slots.get(slotId(appId(app), index));
    if (slot === undefined) throw new Error(`no slot ${app}#${index}`);
    return slot;
  }

  /** The incarnations of a slot, oldest first. */
  instances(app: string, index?: number): Instance[] {
    return [...this.world.instances.values()]
      .filter(
        (instance) =>
          instance.appId === app &&
          (index === undefined || instance.slotId === slotId(instance.appId, index)),
      )
      .sort((a, b) => a.epoch - b.epoch);
  }

  instance(app: string, index = 0): Instance {
    const [only, ...more] = this.instances(app, index);
    if (only === undefined || more.length > 0)
      throw new Error(`${app}#${index} has ${more.length + (only ? 1 : 0)} instances`);
    return only;
  }

  app(id: string): App {
    const app = this.world.apps.get(appId(id));
    if (app === undefined) throw new Error(`no app ${id}`);
    return app;
  }

  /** Every host acknowledges what is shown of the slot now. */
  converge(id: SlotId): Frame {
    const slot = this.world.slots.get(id);
    return this.step({ kind: 'converged', slotId: id, epoch: slot?.anchoredEpoch ?? slot?.activeEpoch ?? 0 });
  }

  /** A new process on the same store. */
  restart(): void {
    this.world = createWorld();
    restore(this.world, this.store.values());
    this.step({ kind: 'subscribed', frameworkId: frameworkId('framework-1') });
  }

  effects<K extends Effect['kind']>(
    kind: K,
    effects: readonly Effect[] = this.frame.effects,
  ): Extract<Effect, { kind: K }>[] {
    return effects.filter((effect): effect is Extract<Effect, { kind: K }> => effect.kind === kind);
  }

  /** Types of what the last frame published. */
  published(): string[] {
    return this.effects('publish').map(({ event }) => event.type);
  }

  /** Task ids that the effects kill. */
  killed(effects: readonly Effect[] = this.frame.effects): TaskId[] {
    return this.effects('kill', effects).map(({ taskId }) => taskId);
  }
}

export const launchesOf = (frame: Frame): Launch[] =>
  frame.effects.flatMap((effect) => (effect.kind === 'accept' ? effect.launches : []));

const isStarting = ({ condition }: Instance): boolean =>
  condition === 'provisioned' || condition === 'staging' || condition === 'starting';
