import { CliError, exitCodes } from '../../src/cli/client.ts';
import { sleep } from '../../src/runtime/deadline.ts';
import { messageOf } from '../../src/runtime/errors.ts';
import { demoApp, shellApp } from '../support/cluster-bench.ts';
import { EpochWatch } from './epoch-watch.ts';
import { EventConsumer } from './event-consumer.ts';
import { figuresTable, type RoundFigure } from './figures.ts';
import { findings, slotOf } from './invariants.ts';
import { lookAtApps, lookAtHosts, lookAtTasks } from './observe.ts';
import type { Outage } from './outages.ts';
import { leaderFindings } from './owners.ts';
import { healAll, logsOf, perform } from './perform.ts';
import { planRounds, type Change, type Fault, type PlanOptions, type Round } from './plan.ts';
import type { Scene } from './scene.ts';
import { SlotClient } from './slot-client.ts';
import { afterChange, afterLook, writesLost, type Expectations, type Outcome } from './writes.ts';

/** How long the cluster may take to be whole again after the last fault of a round, in milliseconds. */
const settleMs = 180_000;
const pollMs = 200;

/** How long the events of a deployment are waited for before a fault that is to come after them, in milliseconds. */
const stepMs = 15_000;

/** Answers after which it is not known whether the change was made: nobody leads, or the leader does not answer. */
const unheard: ReadonlySet<number> = new Set([502, 503, 504]);

export interface RunReport {
  readonly faults: number;
  readonly rounds: number;
  readonly longestOutage: Outage;
  /** How often a client of the event stream had to come back. */
  readonly streamBreaks: number;
  /** How many leaders took over from another; 0 without ZooKeeper. */
  readonly takeovers: number;
  /** Of rounds with one fault only. */
  readonly figures: readonly RoundFigure[];
}

const steady = { backoffSeconds: 0.2, maxLaunchDelaySeconds: 2 };
const awayFrom = (host: string) => ['hostname', 'UNLIKE', `.*${host}`];

/** The apps of a run, all but the client's kept away from its host. */
const appsFor = (clientHost: string) => [
  demoApp('/web', {
    ...steady,
    instances: 3,
    constraints: [['hostname', 'UNIQUE'], awayFrom(clientHost)],
    healthChecks: [{ protocol: 'MESOS_HTTP', path: '/', portIndex: 0, intervalSeconds: 5, delaySeconds: 0 }],
  }),
  demoApp('/api', { ...steady, instances: 2, constraints: [awayFrom(clientHost)] }),
  shellApp('/client', 'sleep 100000', { ...steady, constraints: [['hostname', 'LIKE', `.*${clientHost}`]] }),
];
const spareApp = (clientHost: string) =>
  demoApp('/spare', { ...steady, constraints: [awayFrom(clientHost)] });

/**
 * A run of faults on a cluster. `clientHost` is hurt only by what hurts all.
 * @throws Error with seed, findings and timeline when the cluster does not get whole again
 */
export class FaultRun {
  readonly #scene: Scene;
  readonly #plan: PlanOptions;
  readonly #clientHost: string;
  readonly #client = new SlotClient();
  readonly #events: EventConsumer;
  readonly #epoch: EpochWatch | undefined;
  readonly #timeline: string[] = [];
  readonly #begin = performance.now();
  readonly #figures: RoundFigure[] = [];
  #survived = 0;
  #longestOutage: Outage = { ms: 0, address: '' };
  #over = false;
  #expected: Expectations = new Map();
  #leases: ReadonlyMap<string, string> = new Map();

  constructor(scene: Scene, plan: PlanOptions, clientHost: string) {
    this.#scene = scene;
    this.#plan = plan;
    this.#clientHost = clientHost;
    this.#events = new EventConsumer(scene.apiUrls);
    const { zookeeper } = scene.cluster;
    this.#epoch = zookeeper && new EpochWatch(zookeeper.address);
  }

  async run(): Promise<RunReport> {
    try {
      return await this.#run();
    } catch (error) {
      throw new Error(this.#story(error), { cause: error });
    } finally {
      this.#over = true;
      this.#client.stop();
      this.#events.stop();
      await this.#epoch?.close();
    }
  }

  /** What was survived so far, in that many rounds. */
  #report(rounds: number): RunReport {
    return {
      faults: this.#survived,
      rounds,
      longestOutage: this.#longestOutage,
      streamBreaks: this.#events.breaks,
      takeovers: Math.max(0, (this.#epoch?.leaders ?? 0) - 1),
      figures: this.#figures,
    };
  }

  async #run(): Promise<RunReport> {
    const bench = await this.#scene.throughLeader();
    for (const app of appsFor(this.#clientHost)) {
      await bench.add(app);
      const config = { instances: Number(app['instances']), round: '0' };
      this.#expected = new Map(this.#expected).set(String(app['id']), [config]);
    }
    this.#expected = new Map(this.#expected).set('/spare', [undefined]);
    await this.#settle();
    const rounds = planRounds(this.#plan);
    for (const [index, round] of rounds.entries()) {
      this.#note(`round ${index + 1} of ${rounds.length}`);
      const { recoveryMs, outage } = await this.#round(round, index);
      this.#note(`whole after ${Math.round(recoveryMs)} ms, outage ${Math.round(outage.ms)} ms`);
      if (outage.ms > this.#longestOutage.ms) this.#longestOutage = outage;
      this.#survived += round.faults.length;
      const [only] = round.faults;
      if (round.faults.length === 1 && only !== undefined)
        this.#figures.push({ kind: only.kind, recoveryMs, outageMs: outage.ms });
    }
    return this.#report(rounds.length);
  }

  async #round({ change, faults }: Round, index: number): Promise<{ recoveryMs: number; outage: Outage }> {
    this.#client.beginPeriod();
    const asked = change === undefined ? Promise.resolve() : this.#ask(change, index);
    const targets = [...new Set(faults.map(({ target }) => target))];
    await Promise.all(targets.map((target) => this.#hurt(faults.filter((fault) => fault.target === target))));
    const began = performance.now();
    await asked;
    await healAll(this.#scene);
    await this.#settle();
    const outage = this.#client.outage();
    await this.#followSlots();
    return { recoveryMs: performance.now() - began, outage };
  }

  async #hurt(faults: readonly Fault[]): Promise<void> {
    for (const fault of faults) {
      await sleep(fault.afterMs);
      if (fault.afterEvents !== undefined) await this.#events.more(fault.afterEvents, stepMs);
      this.#note(`${fault.kind} of ${fault.target} for ${fault.holdMs} ms${stepText(fault)}`);
      await perform(this.#scene, fault);
      this.#note(`${fault.kind} of ${fault.target} is over`);
    }
  }

  /** Asks once; whether it was done is not known when nobody answers. */
  async #ask(change: Change, turn: number): Promise<void> {
    this.#note(`asks for ${JSON.stringify(change)}`);
    const outcome = await this.#outcomeOf(this.#send(change, turn));
    this.#note(`${change.kind} of ${change.app}: ${outcome}`);
    this.#expected = afterChange(this.#expected, change, outcome);
  }

  async #outcomeOf(sent: Promise<unknown>): Promise<Outcome> {
    try {
      await sent;
      return 'acknowledged';
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      if (error.exitCode === exitCodes.notFound) return 'acknowledged';
      if (error.exitCode === exitCodes.unreachable || unheard.has(error.status ?? 0)) return 'unknown';
      throw error;
    }
  }

  #send(change: Change, turn: number): Promise<unknown> {
    const { api } = this.#scene.throughAny(turn);
    const path = `/v2/apps${change.app}?force=true`;
    switch (change.kind) {
      case 'redeploy':
        return api.send('PATCH', path, { env: { ROUND: change.round } });
      case 'scale':
        return api.send('PATCH', path, { instances: change.instances });
      case 'create':
        return api.send('PUT', path, spareApp(this.#clientHost));
      case 'remove':
        return api.send('DELETE', path);
    }
  }

  /** Waits until everything is as it must be. */
  async #settle(): Promise<void> {
    const deadline = performance.now() + settleMs;
    let wrong: readonly string[] = [];
    let told = '';
    do {
      wrong = await this.#findings();
      if (wrong.join() !== told && wrong.length > 0) this.#note(`still: ${wrong.slice(0, 3).join('; ')}`);
      told = wrong.join();
      if (wrong.length === 0) return;
      await sleep(pollMs);
    } while (performance.now() < deadline && !this.#over);
    throw new Error(`after ${settleMs / 1000} s this is wrong:\n${wrong.join('\n')}`);
  }

  /** What is wrong now. The hosts, which are dear to look at, only when nothing else is. */
  async #findings(): Promise<readonly string[]> {
    try {
      const bench = await this.#scene.throughLeader();
      const apps = await lookAtApps(bench);
      const lost = writesLost(this.#expected, apps);
      const seen = await lookAtTasks(bench, this.#leases);
      const wrong = [...lost, ...findings(seen)];
      if (wrong.length > 0) return wrong;
      const running = seen.tasks.map(({ id }) => id);
      const elsewhere = [
        ...findings({ ...seen, hosts: await lookAtHosts(bench) }),
        ...this.#events.findings(running),
        ...(await this.#leadership()),
      ];
      if (elsewhere.length > 0) return elsewhere;
      this.#events.refresh(running);
      this.#expected = afterLook(this.#expected, apps);
      const stable = seen.tasks.filter(({ appId }) => appId !== '/spare');
      this.#leases = new Map(stable.map((task) => [slotOf(task), task.ip ?? '']));
      return [];
    } catch (error) {
      return [`it cannot be looked at: ${messageOf(error)}`];
    }
  }

  /** What is wrong about who leads, where there are several. */
  async #leadership(): Promise<readonly string[]> {
    if (this.#epoch === undefined) return [];
    return [...leaderFindings(await this.#scene.leadersTold()), ...(await this.#epoch.findings())];
  }

  async #followSlots(): Promise<void> {
    const bench = await this.#scene.throughLeader();
    const [client] = await bench.tasks('/client');
    // Its slots are asked all the time; those of the other apps come and go.
    const addresses = (await bench.tasks('/web')).flatMap(({ patchpanel }) => patchpanel.ip ?? []);
    this.#client.follow(await bench.containers.pid(client!.id), addresses.toSorted());
  }

  #note(what: string): void {
    const line = `${((performance.now() - this.#begin) / 1000).toFixed(1).padStart(7)} s  ${what}`;
    this.#timeline.push(line);
    if (process.env['PATCHPANEL_FIGURES'] !== undefined) process.stderr.write(`${line}\n`);
  }

  #story(error: unknown): string {
    return [
      `seed ${this.#plan.seed}, ${this.#plan.faults} faults (logs: ${logsOf(this.#scene)})`,
      messageOf(error),
      `survived before: ${this.#survived} faults`,
      figuresTable(this.#figures),
      'what happened:',
      ...this.#timeline.slice(-80),
    ].join('\n');
  }
}

const stepText = ({ afterEvents }: Fault): string =>
  afterEvents === undefined ? '' : `, after ${afterEvents} events`;
