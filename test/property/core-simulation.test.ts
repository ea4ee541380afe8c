import { expect, test } from '@jest/globals';
import type { App } from '../../src/model/app.ts';
import { appId, frameworkId, groupId, slotIdFromText } from '../../src/model/ids.ts';
import { viewEndpoints } from '../../scheduler/core/fabric/fabric-view.ts';
import type { Effect } from '../../scheduler/core/effects.ts';
import type { Change, Event } from '../../scheduler/core/events.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';
import { calm, ModelCluster, SeededRandom } from '../support/core-cluster.ts';
import type { Trouble } from '../support/core-cluster.ts';

const seeds = 300;
const troubledRounds = 60;
const calmRounds = 1_500;

const troubled: Trouble = {
  lostCall: 0.05,
  lostEvent: 0.05,
  repeatedEvent: 0.1,
  failingTask: 0.02,
  lostAgent: 0.02,
  returningAgent: 0.2,
};

/** Cheaper than an expectation, for what is checked after every event. */
function demand(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

const appIds = ['/web', '/shop/db', '/shop/api'];

/** One scheduler on one model cluster, driven by one seed. */
class Simulation {
  readonly random: SeededRandom;
  readonly cluster: ModelCluster;
  readonly bench: CoreBench;
  readonly leases = new Map<string, string>();

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.cluster = new ModelCluster(this.random, 2 + this.random.below(4));
    this.bench = new CoreBench({
      launchTimeoutMs: 60_000,
      reconcileIntervalMs: 120_000,
      unreachableKeepMs: 300_000,
    });
  }

  /** One event with its effects; sometimes the process dies between the frame's writes and its effects. */
  handle(event: Event): void {
    const { effects } = this.bench.step(event);
    this.checkAlways();
    const dies = this.cluster.trouble !== calm && this.random.chance(0.01);
    const sent = dies ? effects.slice(0, this.random.below(effects.length + 1)) : effects;
    this.send(sent);
    if (dies) this.restart();
  }

  send(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.cluster.call(effect, this.bench.now);
      if (effect.kind === 'fabric-changed') this.converge();
    }
  }

  /** Mostly the hosts acknowledge at once; the deadline has to do where they do not. */
  converge(): void {
    if (this.random.chance(0.5)) return;
    for (const slot of Array.from(this.bench.world.slots.values())) {
      if (slot.activeEpoch === undefined) continue;
      const epoch = slot.anchoredEpoch ?? slot.activeEpoch;
      this.send(
        this.bench
          .step({ kind: 'converged', slotId: slot.id, epoch })
          .effects.filter(({ kind }) => kind !== 'fabric-changed'),
      );
    }
  }

  restart(): void {
    this.cluster.resubscribe();
    this.bench.restart();
    this.send(this.bench.frame.effects);
  }

  round(): void {
    this.bench.now += 1_000;
    this.cluster.advance(this.bench.now);
    for (const event of this.cluster.takeEvents()) this.handle(event);
    this.handle({ kind: 'tick' });
  }

  randomChange(): Change {
    const id = this.random.pick(appIds) ?? '/web';
    const known = this.bench.world.apps.get(appId(id));
    const force = this.random.chance(0.5);
    const roll = this.random.below(10);
    const tasks = [...this.bench.world.instances.keys()];
    if (roll === 0) return { kind: 'delete-app', appId: appId(id), force };
    if (roll === 1) return { kind: 'restart-app', appId: appId(id), force };
    if (roll === 2)
      return {
        kind: 'kill-tasks',
        taskIds: tasks.slice(0, 1 + this.random.below(2)),
        ...this.random.pick([{ scale: true }, { scale: false, wipe: false }, { scale: false, wipe: true }])!,
        force,
      };
    const deployment = this.random.pick([...this.bench.world.deployments.keys()]);
    if (roll === 3 && deployment !== undefined)
      return { kind: 'cancel-deployment', deploymentId: deployment, force };
    if (roll === 4) return { kind: 'delete-group', groupId: groupId('/shop'), force };
    if (roll === 5) return { kind: 'scale-group', groupId: groupId('/shop'), scaleBy: 1.5, force };
    if (roll === 6) {
      const apps = appIds.filter((each) => each.startsWith('/shop/') && this.random.chance(0.7));
      const wanted = apps.map((each) => this.randomApp(each, this.bench.world.apps.get(appId(each))));
      return { kind: 'put-group', update: { id: groupId('/shop'), apps: wanted }, force };
    }
    return { kind: 'put-apps', apps: [this.randomApp(id, known)], force };
  }

  randomApp(id: string, known: App | undefined): App {
    const base = known ?? anApp(id, id === '/shop/api' ? { network: { mode: 'host' } } : {});
    return {
      ...base,
      instances: this.random.below(6),
      ...(this.random.chance(0.5) ? { env: { RELEASE: String(this.random.below(1000)) } } : {}),
      upgradeStrategy: {
        maximumOverCapacity: this.random.below(3) / 2,
        minimumHealthCapacity: this.random.below(3) / 2,
      },
      unreachableStrategy: this.random.chance(0.2)
        ? 'disabled'
        : { inactiveAfterSeconds: this.random.below(3) * 5, expungeAfterSeconds: 60 },
      maxLaunchDelaySeconds: 20,
      dependencies: id === '/shop/api' ? [appId('/shop/db')] : [],
      labels: this.random.chance(0.3)
        ? {
            'patchpanel.deploymentDeadlineSeconds': String(5 + this.random.below(30)),
            'patchpanel.onDeploymentFailure': this.random.chance(0.5) ? 'rollback' : 'stop',
          }
        : {},
    };
  }

  /** What holds after every frame, whatever happens. */
  checkAlways(): void {
    const { world } = this.bench;
    const owners = new Map<string, string>();
    for (const slot of world.slots.values()) {
      if (slot.lease === undefined) continue;
      const { ip } = slot.lease;
      demand((owners.get(ip) ?? slot.id) === slot.id, `${ip} is leased twice`);
      owners.set(ip, slot.id);
      demand((this.leases.get(slot.id) ?? ip) === ip, `${slot.id} lost its address`);
      this.leases.set(slot.id, ip);
    }
    for (const id of this.leases.keys()) if (!world.slots.has(slotIdFromText(id))) this.leases.delete(id);
    for (const [slot, endpoints] of viewEndpoints(world, world.slots.keys())) {
      demand(
        endpoints.filter(({ state }) => state === 'active').length <= 1,
        `${slot} has two active incarnations`,
      );
    }
    for (const task of world.instances.values())
      demand(world.slots.has(task.slotId), `${task.taskId} has no slot`);
    const lost = [...world.instances.values()].filter(({ condition }) => condition === 'unreachable');
    demand(
      lost.every(({ agentId, taskId }) => world.unreachableOfAgent.get(agentId)?.has(taskId)) &&
        [...world.unreachableOfAgent.values()].reduce((sum, { size }) => sum + size, 0) === lost.length,
      'the index of unreachable tasks is wrong',
    );
  }

  isQuiet(): boolean {
    const { world } = this.bench;
    const wanted = [...world.apps.values()].reduce((sum, app) => sum + app.instances, 0);
    return (
      world.deployments.size === 0 &&
      world.instances.size === wanted &&
      [...world.instances.values()].every(
        ({ condition, goal }) => condition === 'running' && goal === 'run',
      ) &&
      this.cluster.liveTasks().length === wanted
    );
  }

  /** What holds once nothing disturbs any more. */
  checkQuiet(): void {
    const { world } = this.bench;
    expect([...world.deployments.values()]).toEqual([]);
    for (const app of world.apps.values()) {
      const inService = [...(world.slotsOfApp.get(app.id) ?? [])]
        .flatMap((id) => world.slots.get(id) ?? [])
        .filter((slot) => slot.quarantinedUntil === undefined);
      expect(inService.length).toBe(app.instances);
      for (const slot of inService) {
        const tasks = [...(world.instancesOfSlot.get(slot.id) ?? [])].flatMap(
          (id) => world.instances.get(id) ?? [],
        );
        expect(
          tasks.map(({ epoch, condition, goal, standby }) => ({ epoch, condition, goal, standby })),
        ).toEqual([{ epoch: slot.activeEpoch, condition: 'running', goal: 'run', standby: false }]);
      }
    }
    expect([...this.cluster.liveTasks()].sort()).toEqual([...world.instances.keys()].sort());
    expect(world.wanting.size).toBe(0);
  }
}

test('whatever is lost, repeated or restarted, each app ends with exactly its instances, one in each slot', () => {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      simulate(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
});

function simulate(seed: number): void {
  const simulation = new Simulation(seed);
  simulation.send([{ kind: 'revive' }]);
  simulation.cluster.trouble = troubled;
  for (let round = 0; round < troubledRounds; round++) {
    simulation.round();
    if (simulation.random.chance(0.25))
      simulation.handle({ kind: 'change', change: simulation.randomChange() });
    if (simulation.random.chance(0.02)) simulation.handle({ kind: 'disconnected' });
    if (!simulation.bench.world.subscribed && simulation.random.chance(0.3)) {
      simulation.cluster.resubscribe();
      simulation.handle({ kind: 'subscribed', frameworkId: frameworkId('framework-1') });
    }
  }
  simulation.cluster.trouble = calm;
  simulation.handle({ kind: 'subscribed', frameworkId: frameworkId('framework-1') });
  simulation.cluster.resubscribe();
  simulation.send([{ kind: 'revive' }]);
  let quietFor = 0;
  for (let round = 0; round < calmRounds && quietFor < 3; round++) {
    simulation.round();
    quietFor = simulation.isQuiet() ? quietFor + 1 : 0;
  }
  simulation.checkQuiet();
}
