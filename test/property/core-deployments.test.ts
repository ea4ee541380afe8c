import { expect, test } from '@jest/globals';
import type { App } from '../../src/model/app.ts';
import { appId, groupId } from '../../src/model/ids.ts';
import type { AppId } from '../../src/model/ids.ts';
import type { Effect } from '../../scheduler/core/effects.ts';
import type { Change, Event } from '../../scheduler/core/events.ts';
import { groupVersions } from '../../scheduler/core/changes/revisions.ts';
import { Tree } from '../../scheduler/core/changes/tree.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';
import { ModelCluster, SeededRandom } from '../support/core-cluster.ts';

const seeds = 25;
const crashesPerSeed = 6;
const maxRounds = 400;
const root = groupId('/');

/** A tree of apps in which each may wait for earlier ones, by their ids or by those of groups of earlier ones. */
function randomApps(random: SeededRandom): App[] {
  const apps: App[] = [];
  const count = 2 + random.below(5);
  for (let index = 0; index < count; index++) {
    const id = `/g${Math.floor(index / 2)}/a${index}`;
    const dependencies = apps
      .filter(() => random.chance(0.4))
      .map((app) =>
        random.chance(0.3) && !id.startsWith(groupOf(app.id)) ? groupId(groupOf(app.id)) : app.id,
      );
    apps.push(anApp(id, { instances: 1 + random.below(2), dependencies, cpus: 0.05 }));
  }
  return apps;
}

const groupOf = (id: string): string => id.slice(0, id.lastIndexOf('/'));

/** What is done one after the other, each when the deployment of the one before has ended. */
function randomChanges(random: SeededRandom): ((bench: CoreBench) => Change)[] {
  const apps = randomApps(random);
  const groups = [...new Set(apps.map(({ id }) => groupOf(id)))];
  const changed = apps.slice(1).map((app): App => {
    const instances = random.below(3);
    return random.chance(0.5) ? { ...app, instances, env: { RELEASE: '2' } } : { ...app, instances };
  });
  const update = (list: readonly App[]) => ({
    id: root,
    groups: groups.map((id) => ({ id: groupId(id), apps: list.filter((app) => groupOf(app.id) === id) })),
  });
  return [
    () => ({ kind: 'put-group', update: update(apps), force: false }),
    () => ({ kind: 'put-group', update: update(changed), force: false }),
    (bench) => {
      const [, version] = groupVersions(bench.world, root);
      if (version === undefined) throw new Error('the first version is forgotten');
      return { kind: 'revert-group', groupId: root, version, force: false };
    },
    () => ({ kind: 'delete-group', groupId: groupId(groups[0]!), force: false }),
  ];
}

/** One run of the changes on a model cluster; it may die once, between the writes of a frame and its effects. */
class Run {
  readonly bench = new CoreBench();
  readonly cluster: ModelCluster;
  readonly random: SeededRandom;
  readonly crashAt: number | undefined;
  frames = 0;
  /** What there was after each change. */
  readonly results: unknown[] = [];

  constructor(seed: number, crashAt?: number) {
    this.random = new SeededRandom(seed);
    this.cluster = new ModelCluster(new SeededRandom(seed), 3);
    this.crashAt = crashAt;
  }

  handle(event: Event): void {
    const before = this.started();
    const { effects } = this.bench.step(event);
    this.checkOrder(before);
    this.frames++;
    if (this.frames !== this.crashAt) return this.send(effects);
    this.send(effects.slice(0, this.random.below(effects.length + 1)));
    this.cluster.resubscribe();
    this.bench.restart();
    this.send(this.bench.frame.effects);
  }

  send(effects: readonly Effect[]): void {
    for (const effect of effects) this.cluster.call(effect, this.bench.now);
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

  make(changes: readonly ((bench: CoreBench) => Change)[]): void {
    this.send([{ kind: 'revive' }]);
    for (const change of changes) {
      this.handle({ kind: 'change', change: change(this.bench) });
      for (let round = 0; this.bench.world.deployments.size > 0; round++) {
        if (round > maxRounds)
          throw new Error(`the deployment does not end: ${JSON.stringify(this.state())}`);
        this.round();
      }
      this.results.push(this.state());
    }
  }

  /** Apps and groups as wanted, what runs, and how every deployment has ended. */
  state(): unknown {
    const { world } = this.bench;
    const tree = new Tree(world);
    const slots = [...world.instances.values()]
      .filter(({ goal }) => goal === 'run')
      .map(({ slotId }) => slotId);
    return {
      apps: Array.from(tree.appsBelow(root), ({ id, instances, env }) => ({ id, instances, env })),
      groups: Array.from(tree.groupsBelow(root), ({ id, dependencies }) => ({ id, dependencies })),
      slots: slots.sort(),
      live: this.cluster.liveTasks().length,
      ends: Array.from(world.endedDeployments.values(), ({ outcome, currentStep }) => ({
        outcome,
        currentStep,
      })),
    };
  }

  /** Apps with an instance. */
  started(): Set<AppId> {
    return new Set(Array.from(this.bench.world.instances.values(), ({ appId: id }) => id));
  }

  /** A new app starts when all that it waits for serves. */
  checkOrder(before: ReadonlySet<AppId>): void {
    const { world } = this.bench;
    const tree = new Tree(world);
    for (const id of this.started()) {
      if (before.has(id)) continue;
      for (const dependency of tree.app(id)?.dependencies ?? []) {
        const waited = [tree.app(appId(dependency)) ?? [], ...tree.appsBelow(groupId(dependency))].flat();
        for (const app of waited) {
          const ready = world.progress.get(app.id)?.ready ?? 0;
          if (ready < app.instances && world.deployments.size > 0)
            throw new Error(`${id} started before ${app.id} served`);
        }
      }
    }
  }
}

test('a deployment that loses its scheduler in any frame ends as it would have', () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const changes = () => randomChanges(new SeededRandom(seed));
    const undisturbed = new Run(seed);
    undisturbed.make(changes());
    expect(undisturbed.results).toHaveLength(4);
    const points = new SeededRandom(seed * 7919);
    for (let crash = 0; crash < crashesPerSeed; crash++) {
      const at = 1 + points.below(undisturbed.frames);
      const disturbed = new Run(seed, at);
      try {
        disturbed.make(changes());
        expect(disturbed.results).toEqual(undisturbed.results);
      } catch (error) {
        throw new Error(
          `seed ${seed}, frame ${at}: ${error instanceof Error ? error.message : String(error)}`,
          {
            cause: error,
          },
        );
      }
    }
  }
});
