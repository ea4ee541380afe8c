import { defaultInterconnect } from '../../src/fabric/interconnect.ts';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Effect } from '../../scheduler/core/effects.ts';
import { step } from '../../scheduler/core/step.ts';
import { boot } from '../../scheduler/driver/boot.ts';
import { EventBus } from '../../scheduler/driver/event-bus.ts';
import type { MesosEffect } from '../../scheduler/driver/mesos/mesos-link.ts';
import { SchedulerMetrics } from '../../scheduler/driver/metrics.ts';
import { Scheduler } from '../../scheduler/driver/scheduler.ts';
import { MemoryStore } from '../../scheduler/store/memory-store.ts';
import type { RecordWrite, Store } from '../../scheduler/store/store.ts';
import type { Instance } from '../../src/model/instance.ts';
import { anApp, defaultNetwork, settings } from '../support/core-bench.ts';
import { ModelCluster, SeededRandom } from '../support/core-cluster.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

/** What survives: handed from one run of the scheduler to the next. */
class Disk {
  readonly store = new MemoryStore();
  readonly records = new Map<string, unknown>();

  async write(writes: readonly RecordWrite[]): Promise<void> {
    await this.store.commit(writes);
    for (const { kind, key, value } of writes) {
      if (value === undefined) this.records.delete(`${kind}/${key}`);
      else this.records.set(`${kind}/${key}`, value);
    }
  }
}

/** A process that can die in the middle of a commit: nothing that waits for that commit ever goes on. */
class MortalStore implements Store {
  readonly #disk: Disk;
  /** Commits until it dies, and whether the last one still reaches the disk. */
  #death: { commits: number; readonly durable: boolean } | undefined;
  dead = false;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  dieIn(commits: number, durable: boolean): void {
    this.#death = { commits, durable };
  }

  load(): ReturnType<Store['load']> {
    return this.#disk.store.load();
  }

  async commit(writes: readonly RecordWrite[]): Promise<void> {
    const dies = this.#death !== undefined && this.#death.commits-- <= 0;
    if (!this.dead && (!dies || this.#death?.durable === true)) await this.#disk.write(writes);
    if (dies) this.dead = true;
    if (this.dead) await new Promise(() => undefined);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 4; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

class Simulation {
  readonly disk = new Disk();
  readonly clock = new ManualClock();
  readonly cluster: ModelCluster;
  readonly early: string[] = [];
  readonly terms: number[] = [];
  readonly frameworkIds = new Set<string>();
  store = new MortalStore(this.disk);
  #scheduler: Scheduler | undefined;
  #runClock = new ManualClock();
  #ids = 0;

  constructor(seed: number) {
    this.cluster = new ModelCluster(new SeededRandom(seed), 3);
  }

  get scheduler(): Scheduler {
    if (this.#scheduler === undefined) throw new Error('not started');
    return this.#scheduler;
  }

  async start(): Promise<void> {
    const store = new MortalStore(this.disk);
    const { world, term, frameworkId } = await boot(
      store,
      () => this.#uuid(),
      () => 'key',
    );
    this.store = store;
    this.terms.push(term);
    this.frameworkIds.add(frameworkId);
    this.#runClock = new ManualClock(this.clock.now());
    const log = recordingLogger();
    this.#scheduler = new Scheduler({
      interconnect: defaultInterconnect,
      world,
      term,
      step: (event) =>
        step(world, settings, event, {
          now: this.clock.now(),
          uuid: () => this.#uuid(),
          isConnected: () => false,
        }),
      store,
      mesos: { prepare: (effect) => () => this.#act(store, effect), release: () => undefined },
      bus: new EventBus(16, () => undefined),
      clock: this.#runClock,
      log,
      metrics: new SchedulerMetrics(),
      onFatal: (error) => {
        throw error;
      },
    });
    this.#scheduler.start();
    if (!world.networks.has(defaultNetwork.name)) {
      await this.#scheduler.change({ kind: 'put-network', network: defaultNetwork });
    }
    this.cluster.resubscribe();
    void this.#scheduler.submit({ kind: 'subscribed', frameworkId });
    await turns();
  }

  async second(): Promise<void> {
    this.clock.advance(1_000);
    this.#runClock.advance(1_000);
    await turns();
    this.cluster.advance(this.clock.now());
    for (const event of this.cluster.takeEvents()) void this.scheduler.submit(event);
    await turns();
    if (this.store.dead) await this.start();
  }

  async scale(instances: number): Promise<void> {
    const apps = [anApp('/web', { instances })];
    void this.scheduler.change({ kind: 'put-apps', apps, force: true }).catch(() => undefined);
    await turns();
  }

  /** Mesos hears of it: then it must be on the disk. */
  #act(store: MortalStore, effect: MesosEffect): void {
    if (store.dead) return;
    this.early.push(...this.#undurable(effect));
    this.cluster.call(effect, this.clock.now());
  }

  #undurable(effect: Effect): string[] {
    if (effect.kind === 'accept') {
      return effect.launches
        .filter(({ instance }) => !this.disk.records.has(`instance/${instance.taskId}`))
        .map(({ instance }) => `${instance.taskId} was launched before it was stored`);
    }
    if (effect.kind !== 'acknowledge') return [];
    const stored = this.disk.records.get(`instance/${effect.taskId}`) as Instance | undefined;
    return stored?.condition === 'provisioned'
      ? [`${effect.taskId} was acknowledged before it was stored`]
      : [];
  }

  #uuid(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
  }
}

const opArbitrary = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('seconds' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('scale' as const), instances: fc.integer({ min: 0, max: 6 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('die' as const), commits: fc.nat(3), durable: fc.boolean() }),
  },
);

test('a death in any commit neither loses nor duplicates a task, and nothing is done that is not stored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(opArbitrary, { minLength: 3, maxLength: 20 }), async (seed, ops) => {
      const simulation = new Simulation(seed);
      await simulation.start();
      for (const op of ops) {
        if (op.kind === 'scale') await simulation.scale(op.instances);
        else if (op.kind === 'die') simulation.store.dieIn(op.commits, op.durable);
        for (let i = 0; i < (op.kind === 'seconds' ? op.count : 1); i += 1) await simulation.second();
      }
      simulation.store.dieIn(Number.MAX_SAFE_INTEGER, true);
      await simulation.scale(4);
      for (let i = 0; i < 90; i += 1) await simulation.second();

      expect(simulation.early).toEqual([]);
      const instances = [...simulation.scheduler.world.instances.values()];
      expect(instances.map(({ condition }) => condition)).toEqual(Array(4).fill('running'));
      expect(new Set(instances.map(({ slotId }) => slotId)).size).toBe(4);
      expect(simulation.cluster.liveTasks().toSorted()).toEqual(
        instances.map(({ taskId }) => taskId).toSorted(),
      );
      expect(simulation.terms).toEqual(simulation.terms.toSorted((a, b) => a - b));
      expect(new Set(simulation.terms).size).toBe(simulation.terms.length);
      expect(simulation.frameworkIds.size).toBe(1);
      await simulation.scheduler.close();
    }),
    { numRuns: 60 },
  );
});
