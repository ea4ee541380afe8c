import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { createLogger, type Logger } from '../runtime/logger.ts';
import type { Scope } from '../runtime/scope.ts';
import { concreteAddress, splitAddress } from './addresses.ts';
import { agentOptions, Member } from './member.ts';
import type { MesosControl } from './mesos/control.ts';
import { startDevMesos } from './mesos/dev-mesos.ts';
import type { Timings } from './mesos/options.ts';
import type { DevClusterConfig } from './options.ts';
import { projectRoot } from './project.ts';
import { SchedulerProcess } from './scheduler-process.ts';
import type { Substrate, SubstrateSurroundings } from './substrate.ts';

export interface ClusterSurroundings extends SubstrateSurroundings {
  /** Times of master and agents that differ from `devTimings`. */
  readonly timings?: Partial<Timings>;
}

/** Apache Mesos's times are made for large clusters; a person or a test does not wait 75 s for a host to be lost. */
const devTimings: Partial<Timings> = { pingTimeoutMs: 1_000, maxPings: 5, registrationBackoffMs: 100 };

/** Master and agents of the cluster in this process; `programs` ends them. */
export async function startMesos(
  config: DevClusterConfig,
  substrate: Substrate,
  programs: Scope,
  { timings }: ClusterSurroundings,
): Promise<MesosControl> {
  const { host, port } = splitAddress(config.masterListen);
  const mesos = await startDevMesos({
    log: fileLogger(config, substrate, programs),
    host,
    ports: [port],
    timings: { ...devTimings, ...timings },
  });
  return programs.own('Mesos', mesos, () => mesos.close());
}

function fileLogger(config: DevClusterConfig, substrate: Substrate, programs: Scope): Logger {
  const file = createWriteStream(path.join(substrate.directories.logs, 'mesos.log'), { flags: 'a' });
  programs.own('log of Mesos', file, (stream) => void stream.end());
  return createLogger('dev-mesos', config.logLevel, file);
}

/** One agent for each host, registered, its containers in the ledger. */
export async function startAgents(
  config: DevClusterConfig,
  substrate: Substrate,
  mesos: MesosControl,
  { progress, signal }: ClusterSurroundings,
): Promise<readonly Member[]> {
  const { engine, hosts, ledger } = substrate;
  const members: Member[] = [];
  for (const host of hosts) {
    signal?.throwIfAborted();
    const agentId = await mesos.addAgent(agentOptions(config, host, engine));
    await ledger.add({ kind: 'containers', socket: engine.socket, agentId });
    members.push(new Member(host, agentId, mesos, engine));
  }
  progress(`Mesos: master ${mesos.url} with ${members.length} agents`);
  return members;
}

/** The scheduler of the cluster, not started yet. */
export async function schedulerOf(
  config: DevClusterConfig,
  substrate: Substrate,
  mesos: MesosControl,
): Promise<SchedulerProcess> {
  const api = await concreteAddress(config.api);
  return new SchedulerProcess({
    cluster: config.name,
    distDir: distDirOf(config),
    masterUrls: mesos.urls,
    api,
    advertised: `${substrate.plan.managementGateway}:${splitAddress(api).port}`,
    stateDir: substrate.directories.scheduler,
    logFile: path.join(substrate.directories.logs, 'scheduler.log'),
    logLevel: config.logLevel,
    extraArgs: config.schedulerArgs,
  });
}

/** Where the built programs are. */
export function distDirOf(config: DevClusterConfig): string {
  return config.distDir ?? path.join(projectRoot(), 'dist');
}
