import { isDeepStrictEqual } from 'node:util';
import { test } from '@jest/globals';
import * as fc from 'fast-check';
import type { App } from '../../src/model/app.ts';
import { ruleProblems } from '../../src/model/app-rules.ts';
import { appId, frameworkId } from '../../src/model/ids.ts';
import type { Effect } from '../../scheduler/core/effects.ts';
import type { Event } from '../../scheduler/core/events.ts';
import { isReady } from '../../scheduler/core/slots/health.ts';
import { rollingLimits } from '../../scheduler/core/deployments/rolling.ts';
import { anApp, CoreBench, settings } from '../support/core-bench.ts';
import { calm, executorCpus, ModelCluster, SeededRandom } from '../support/core-cluster.ts';

const web = appId('/web');

const appArbitrary = fc
  .record({
    instances: fc.integer({ min: 1, max: 7 }),
    minimumHealthCapacity: fc.constantFrom(0, 0.3, 0.5, 0.9, 1),
    maximumOverCapacity: fc.constantFrom(0, 0.25, 0.5, 1),
    // Without the label: drain, where it can be had.
    handover: fc.constantFrom({}, ...['swap', 'recreate'].map((mode) => ({ 'patchpanel.handover': mode }))),
  })
  .map(({ instances, handover, ...upgradeStrategy }) =>
    anApp('/web', {
      instances,
      upgradeStrategy,
      cpus: 0.1,
      maxLaunchDelaySeconds: 5,
      labels: { ...handover, 'patchpanel.drainSeconds': '3' },
    }),
  )
  .filter((app) => ruleProblems(app, settings.rules).length === 0);

/** Upgrades of one app on a cluster where tasks fail and messages are lost. */
class Upgrades {
  readonly bench = new CoreBench({
    killRetryMs: 2_000,
    launchTimeoutMs: 60_000,
    reconcileIntervalMs: 120_000,
  });
  readonly cluster: ModelCluster;

  constructor(cluster: ModelCluster) {
    this.cluster = cluster;
  }

  handle(event: Event): void {
    const serving = this.serving();
    const { effects } = this.bench.step(event);
    if (event.kind !== 'change') this.check(serving);
    this.send(effects);
  }

  send(effects: readonly Effect[]): void {
    for (const effect of effects) this.cluster.call(effect, this.bench.now);
  }

  resubscribe(): void {
    this.handle({ kind: 'subscribed', frameworkId: frameworkId('framework-1') });
    this.cluster.resubscribe();
    this.send([{ kind: 'revive' }]);
  }

  put(app: App): void {
    this.handle({ kind: 'change', change: { kind: 'put-apps', apps: [app], force: true } });
  }

  /** Goes on until no deployment runs, or for so many seconds. */
  finish(seconds: number): boolean {
    for (let round = 0; round < seconds && this.bench.world.deployments.size > 0; round++) this.round();
    return this.bench.world.deployments.size === 0;
  }

  round(): void {
    this.bench.now += 1_000;
    this.cluster.advance(this.bench.now);
    for (const event of this.cluster.takeEvents()) this.handle(event);
    for (const { id, activeEpoch, anchoredEpoch } of Array.from(this.bench.world.slots.values())) {
      const epoch = anchoredEpoch ?? activeEpoch;
      if (epoch !== undefined) this.handle({ kind: 'converged', slotId: id, epoch });
    }
    this.handle({ kind: 'tick' });
  }

  /** Slots with the task that serves in them. */
  serving(): Map<string, string> {
    const { world } = this.bench;
    const app = world.apps.get(web);
    return new Map(
      [...world.instances.values()].flatMap((instance): [string, string][] => {
        const isActive = world.slots.get(instance.slotId)?.activeEpoch === instance.epoch;
        return app !== undefined && isActive && isReady(instance, app)
          ? [[instance.slotId, instance.taskId]]
          : [];
      }),
    );
  }

  check(servedBefore: ReadonlyMap<string, string>): void {
    const { world } = this.bench;
    const app = world.apps.get(web);
    if (app === undefined) return;
    const { minHealthy, maxCapacity } = rollingLimits(app);
    const serve = this.serving();
    const ended = [...servedBefore].filter(([slot, task]) => {
      const { goal, condition } = world.instances.get(task as never) ?? {};
      return !serve.has(slot) && goal === 'stop' && condition === 'running';
    });
    const floor =
      app.labels['patchpanel.handover'] === 'recreate' ? Math.min(minHealthy, app.instances - 1) : minHealthy;
    if (ended.length > 0 && serve.size < floor)
      throw new Error(`${ended.join(' ')} was ended while ${serve.size} of ${floor} served`);
    if (world.instances.size > maxCapacity)
      throw new Error(`${world.instances.size} instances, but ${maxCapacity} may be`);
  }
}

test('an upgrade ends nothing that serves below the healthy minimum and has nothing above the capacity, whatever fails', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      appArbitrary,
      fc.array(fc.nat({ max: 12 }), { maxLength: 4 }),
      (seed, app: App, pauses) => {
        const upgrades = new Upgrades(new ModelCluster(new SeededRandom(seed), 4));
        upgrades.send([{ kind: 'revive' }]);
        upgrades.put(app);
        for (let round = 0; round < 15; round++) upgrades.round();
        upgrades.cluster.trouble = {
          ...calm,
          failingTask: 0.05,
          lostCall: 0.05,
          lostEvent: 0.05,
          repeatedEvent: 0.1,
        };
        for (const [index, pause] of pauses.entries()) {
          upgrades.put({ ...app, env: { RELEASE: String(index) } });
          for (let round = 0; round < pause; round++) upgrades.round();
        }
        upgrades.cluster.trouble = calm;
        upgrades.resubscribe();
        if (!upgrades.finish(1_500)) throw new Error('the upgrade does not end');
      },
    ),
    { numRuns: 200 },
  );
});

test('an upgrade that may end instances ends on hosts that are full, too, and one that may not leaves all as it is', () => {
  const appCpus = 100;
  fc.assert(
    fc.property(
      fc.nat(),
      appArbitrary,
      fc.integer({ min: 1, max: 3 }),
      fc.nat({ max: appCpus - 1 }),
      (seed, app: App, perAgent, left) => {
        const cluster = new ModelCluster(
          new SeededRandom(seed),
          Math.ceil(app.instances / perAgent),
          executorCpus + perAgent * appCpus + left,
        );
        const filled = { ...app, instances: cluster.agents.length * perAgent };
        const upgrades = new Upgrades(cluster);
        upgrades.send([{ kind: 'revive' }]);
        upgrades.put(filled);
        if (!upgrades.finish(100)) throw new Error('the cluster does not hold the app');
        const before = upgrades.serving();
        upgrades.put({ ...filled, env: { RELEASE: '2' } });
        const ends = upgrades.finish(500);
        const mayEnd =
          rollingLimits(filled).minHealthy < filled.instances ||
          app.labels['patchpanel.handover'] === 'recreate';
        if (ends !== mayEnd) throw new Error(ends ? 'the upgrade ended' : 'the upgrade does not end');
        if (!ends && !isDeepStrictEqual(upgrades.serving(), before)) throw new Error('something was ended');
      },
    ),
    { numRuns: 50 },
  );
});
