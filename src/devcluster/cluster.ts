import type { FastifyInstance } from 'fastify';
import { PatchpanelError } from '../runtime/errors.ts';
import { Scope } from '../runtime/scope.ts';
import { requireFreeAddresses, splitAddress } from './addresses.ts';
import { controlApi } from './control-api.ts';
import type { ClusterControls } from './controls.ts';
import { guardProgram } from './guard.ts';
import type { Member } from './member.ts';
import type { MesosControl } from './mesos/control.ts';
import {
  devClusterConfig,
  type DevClusterConfig,
  type DevClusterOptions,
  type DevClusterStatus,
} from './options.ts';
import {
  apiAddresses,
  distDirOf,
  schedulersOf,
  startAgents,
  startMesos,
  startZooKeeper,
  type ClusterSurroundings,
} from './programs.ts';
import type { SchedulerGroup } from './scheduler-group.ts';
import type { SchedulerProcess } from './scheduler-process.ts';
import { Substrate } from './substrate.ts';
import type { ZooKeeperServer } from './zookeeper.ts';

/**
 * A whole cluster on this machine: hosts with switches, Mesos, and the scheduler.
 * INVARIANT: start() gives a cluster that works or throws and leaves nothing; after stop() nothing is left.
 */
export class DevCluster implements ClusterControls {
  readonly config: DevClusterConfig;
  readonly substrate: Substrate;
  readonly mesos: MesosControl;
  readonly members: readonly Member[];
  readonly schedulers: SchedulerGroup;
  /** Where there are several schedulers. */
  readonly zookeeper: ZooKeeperServer | undefined;
  readonly #control: FastifyInstance;
  readonly #programs: Scope;
  #stopping: Promise<void> | undefined;

  private constructor(parts: ClusterParts) {
    this.config = parts.config;
    this.substrate = parts.substrate;
    this.mesos = parts.mesos;
    this.members = parts.members;
    this.schedulers = parts.schedulers;
    this.zookeeper = parts.zookeeper;
    this.#programs = parts.programs;
    this.#control = controlApi(this);
  }

  /**
   * Starts everything and waits until the scheduler answers.
   * @throws what Substrate.build throws, `not-found` without a build, `external` when a program does not come up
   */
  static async start(options: DevClusterOptions, surroundings: ClusterSurroundings): Promise<DevCluster> {
    const config = devClusterConfig(options);
    await requireFreeAddresses({
      'master-listen': config.masterListen,
      'control-listen': config.controlListen,
    });
    for (const api of apiAddresses(config)) await requireFreeAddresses({ api });
    const substrate = await Substrate.build(config, {
      ...surroundings,
      guardProgram: guardProgram(distDirOf(config)),
    });
    const programs = new Scope(surroundings.log);
    try {
      const cluster = await DevCluster.#startPrograms(config, substrate, programs, surroundings);
      await cluster.#openControl();
      surroundings.signal?.throwIfAborted();
      return cluster;
    } catch (error) {
      await programs.close();
      await substrate.abandon();
      throw error;
    }
  }

  static async #startPrograms(
    config: DevClusterConfig,
    substrate: Substrate,
    programs: Scope,
    surroundings: ClusterSurroundings,
  ): Promise<DevCluster> {
    const zookeeper = await startZooKeeper(config, substrate, programs, surroundings);
    const mesos = await startMesos(config, substrate, programs, zookeeper, surroundings);
    const members = await startAgents(config, substrate, mesos, surroundings);
    const schedulers = await schedulersOf(config, substrate, mesos, zookeeper, surroundings);
    for (const scheduler of schedulers.members) {
      programs.own('scheduler', scheduler, () => scheduler.stop());
      await scheduler.start(surroundings.signal);
      surroundings.progress(`scheduler: API ${scheduler.apiUrl}`);
    }
    return new DevCluster({ config, substrate, zookeeper, mesos, members, schedulers, programs });
  }

  /** The first of the schedulers: with several it is not always the one that leads. */
  get scheduler(): SchedulerProcess | undefined {
    return this.schedulers.members[0];
  }

  get controlUrl(): string {
    const address = this.#control.server.address();
    if (address === null || typeof address === 'string') return `http://${this.config.controlListen}`;
    return `http://${address.address}:${address.port}`;
  }

  /**
   * Ends scheduler, executors, agents and hosts and removes what the cluster has made, except its logs. Safe to call
   * twice.
   * @throws PatchpanelError `external` that names what could not be removed
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  status(): Promise<DevClusterStatus> {
    return Promise.resolve({
      name: this.config.name,
      stateDir: this.config.stateDir,
      apiUrl: this.scheduler?.apiUrl,
      masterUrl: this.mesos.url,
      controlUrl: this.controlUrl,
      dockerHost: this.substrate.engine.dockerHost,
      scheduler: this.schedulers.state,
      schedulers: this.schedulers.status(),
      zookeeper: this.zookeeper?.address,
      hosts: this.members.map((member) => member.status()),
    });
  }

  cut = (host: string, what: 'management' | 'all'): Promise<void> => this.member(host).cut(what);
  heal = (host: string): Promise<void> => this.member(host).heal();
  stopHost = (host: string): Promise<void> => this.member(host).powerOff();
  startHost = (host: string): Promise<void> => this.member(host).powerOn();
  restartSwitch = (host: string): Promise<void> => this.member(host).host.restartSwitch();
  stopAgent = (host: string): Promise<void> => this.member(host).stopAgent();
  startAgent = (host: string): Promise<void> => this.member(host).startAgent();
  failover = (): Promise<void> => this.mesos.failover();

  async killExecutor(host: string): Promise<number> {
    return this.member(host).killExecutor();
  }

  killScheduler = (): Promise<void> => this.schedulers.killLeader();
  restartScheduler = (): Promise<void> => this.schedulers.restart();

  /**
   * The host of that name.
   * @throws PatchpanelError `not-found` that lists the hosts
   */
  member(name: string): Member {
    const found = this.members.find((member) => member.answersTo(name));
    if (found !== undefined) return found;
    const names = this.members.map((member) => member.host.plan.name).join(', ');
    throw new PatchpanelError('not-found', `there is no host ${name}: the hosts are ${names}`);
  }

  async #openControl(): Promise<void> {
    const { host, port } = splitAddress(this.config.controlListen);
    await this.#control.listen({ host, port });
    this.#programs.own('controls', this.#control, (control) => control.close());
    await this.substrate.ledger.setControlUrl(this.controlUrl);
  }

  async #stop(): Promise<void> {
    await this.#programs.close();
    await this.substrate.close();
  }
}

interface ClusterParts {
  readonly config: DevClusterConfig;
  readonly substrate: Substrate;
  readonly mesos: MesosControl;
  readonly members: readonly Member[];
  readonly schedulers: SchedulerGroup;
  readonly zookeeper: ZooKeeperServer | undefined;
  readonly programs: Scope;
}
