import path from 'node:path';
import { keepExecutorLogs } from './executor-logs.ts';
import type { Ledger } from './ledger.ts';
import type { ClusterPlan, HostPlan } from './plan.ts';
import { HostSwitch } from './switch.ts';
import { makeHostNetns, setManagement, setUnderlay } from './underlay.ts';

export interface HostDirectories {
  /** Switch, executor state and sandboxes of all hosts, one folder each; removed with the cluster. */
  readonly hosts: string;
  readonly logs: string;
  /** What the executors' other programs need while they run: readable by users other than root. */
  readonly run: string;
}

/**
 * One machine of the cluster: a network namespace with a switch of its own and two cables.
 * INVARIANT: `management` and `underlay` tell how the cables were set last.
 */
export class DevHost {
  readonly plan: HostPlan;
  readonly switch: HostSwitch;
  readonly directory: string;
  readonly #cluster: ClusterPlan;
  readonly #logs: string;
  /** The executor's PATCHPANEL_RUN_DIR. */
  readonly runDir: string;
  #management: 'up' | 'cut' = 'up';
  #underlay: 'up' | 'cut' = 'up';
  #power: 'on' | 'off' = 'off';

  constructor(cluster: ClusterPlan, plan: HostPlan, directories: HostDirectories) {
    this.plan = plan;
    this.#cluster = cluster;
    this.#logs = directories.logs;
    this.runDir = path.join(directories.run, plan.name);
    this.directory = path.join(directories.hosts, plan.name);
    this.switch = new HostSwitch({
      cluster: cluster.name,
      host: plan,
      runDir: this.ovsRunDir,
      logDir: directories.logs,
    });
  }

  get management(): 'up' | 'cut' {
    return this.#management;
  }

  get underlay(): 'up' | 'cut' {
    return this.#underlay;
  }

  get power(): 'on' | 'off' {
    return this.#power;
  }

  get ovsRunDir(): string {
    return path.join(this.directory, 'ovs');
  }

  /** The Mesos agent's work directory: sandboxes are below it. */
  get agentWorkDir(): string {
    return path.join(this.directory, 'agent');
  }

  /** The executor's PATCHPANEL_STATE_DIR. */
  get executorStateDir(): string {
    return path.join(this.directory, 'executor');
  }

  /** Makes namespace and cables (listed in the ledger) and starts the switch. */
  async create(ledger: Ledger): Promise<void> {
    await makeHostNetns(ledger, this.#cluster, this.plan);
    await this.powerOn();
  }

  /** The switch comes back with the bridges and ports of its database. */
  async powerOn(): Promise<void> {
    await this.switch.start();
    this.#power = 'on';
  }

  /** As if the power went: no warning to anybody, the switch forwards nothing from now on. */
  async powerOff(): Promise<void> {
    this.#power = 'off';
    await this.switch.crash();
  }

  /** Kills the switch and starts it anew. */
  async restartSwitch(): Promise<void> {
    await this.switch.crash();
    await this.switch.start();
  }

  /** Pulls the management cable, and the underlay's too if asked. */
  async cut(what: 'management' | 'all'): Promise<void> {
    await setManagement(this.plan, 'down');
    this.#management = 'cut';
    if (what === 'management') return;
    await setUnderlay(this.#cluster, this.plan, 'down');
    this.#underlay = 'cut';
  }

  /** Plugs both cables in again. */
  async heal(): Promise<void> {
    await setManagement(this.plan, 'up');
    this.#management = 'up';
    await setUnderlay(this.#cluster, this.plan, 'up');
    this.#underlay = 'up';
  }

  /** Ends the switch and keeps the executors' logs; namespace and cables are the ledger's. */
  async close(): Promise<void> {
    this.#power = 'off';
    await this.switch.stop();
    await keepExecutorLogs(this.agentWorkDir, this.#logs, this.plan.name);
  }
}
