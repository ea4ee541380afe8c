import type { AgentId } from '../model/ids.ts';
import { agentLabel } from './cleanup.ts';
import { killContainers, type DockerEngine } from './engine-client.ts';
import type { DevHost } from './host.ts';
import type { MesosControl } from './mesos/control.ts';
import type { AgentOptions } from './mesos/options.ts';
import type { AgentSnapshot } from './mesos/snapshot.ts';
import { listenHttpInNetns } from './netns-listener.ts';
import type { DevClusterConfig, DevHostStatus } from './options.ts';
import { clusterVariable } from './processes.ts';

/** Apache Mesos's own port for agents; each host has it to itself. */
const agentPort = 5051;

/** A host together with its Mesos agent: what a person calls a machine of the cluster. */
export class Member {
  readonly host: DevHost;
  readonly agentId: AgentId;
  readonly #mesos: MesosControl;
  readonly #engine: DockerEngine;

  constructor(host: DevHost, agentId: AgentId, mesos: MesosControl, engine: DockerEngine) {
    this.host = host;
    this.agentId = agentId;
    this.#mesos = mesos;
    this.#engine = engine;
  }

  /** Whether a person who says `name` means this one: `h1`, `pp-h1` or the agent's id. */
  answersTo(name: string): boolean {
    return [this.host.plan.name, this.host.plan.hostname, this.agentId].includes(name);
  }

  async cut(what: 'management' | 'all'): Promise<void> {
    await this.host.cut(what);
    this.#mesos.cutAgent(this.agentId);
  }

  async heal(): Promise<void> {
    await this.host.heal();
    this.#mesos.healAgent(this.agentId);
  }

  /** The cables go first: a machine without power sends no goodbye. */
  async powerOff(): Promise<void> {
    await this.cut('all');
    const executors = this.#executorPids();
    await this.#mesos.stopAgent(this.agentId);
    for (const pid of executors) killGroup(pid);
    await killContainers(this.#engine.client, `${agentLabel}=${this.agentId}`);
    await this.host.powerOff();
  }

  async powerOn(): Promise<void> {
    await this.host.powerOn();
    await this.heal();
    await this.#mesos.startAgent(this.agentId);
  }

  killExecutor(): number {
    return this.#mesos.killExecutor(this.agentId);
  }

  stopAgent(): Promise<void> {
    return this.#mesos.stopAgent(this.agentId);
  }

  startAgent(): Promise<void> {
    return this.#mesos.startAgent(this.agentId);
  }

  status(): DevHostStatus {
    const { plan, power, management, underlay, switch: hostSwitch } = this.host;
    return {
      name: plan.name,
      hostname: plan.hostname,
      netns: plan.netns,
      managementIp: plan.managementIp,
      underlayIp: plan.underlayIp,
      power,
      management,
      underlay,
      switch: hostSwitch.running ? 'running' : 'stopped',
      agent: this.#snapshot()?.process === 'down' ? 'stopped' : 'running',
      agentId: this.agentId,
      executorPids: this.#executorPids(),
    };
  }

  #snapshot(): AgentSnapshot | undefined {
    return this.#mesos.state().agents.find((agent) => agent.agentId === this.agentId);
  }

  #executorPids(): readonly number[] {
    const running = (this.#snapshot()?.executors ?? []).filter((executor) => executor.state !== 'terminated');
    return running.flatMap(({ pid }) => (pid !== undefined && lives(pid) ? [pid] : []));
  }
}

/** While an agent is down nobody tells it which of its executors have ended. */
function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Executors lead a process group of their own. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** How the agent of a host is started: where it listens, what it offers, what its executors are told of the host. */
export function agentOptions(config: DevClusterConfig, host: DevHost, engine: DockerEngine): AgentOptions {
  const { plan } = host;
  return {
    hostname: plan.hostname,
    resources: config.resources,
    attributes: plan.attributes,
    workDir: host.agentWorkDir,
    spawnPrefix: ['ip', 'netns', 'exec', plan.netns],
    executorEnvironment: {
      OVS_RUNDIR: host.ovsRunDir,
      DOCKER_HOST: engine.dockerHost,
      PATCHPANEL_STATE_DIR: host.executorStateDir,
      PATCHPANEL_RUN_DIR: host.runDir,
      PATCHPANEL_UNDERLAY_IP: plan.underlayIp,
      PATCHPANEL_DATAPATH: 'netdev',
      PATCHPANEL_LOG_LEVEL: config.logLevel,
      [clusterVariable]: config.name,
      ...config.executorEnv,
    },
    listen: async (server) => {
      await listenHttpInNetns(server, plan.netns, agentPort);
      return { host: plan.managementIp, port: agentPort };
    },
    endpointHost: plan.managementIp,
  };
}
