import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { createLogger, type Logger } from '../runtime/logger.ts';
import type { Scope } from '../runtime/scope.ts';
import { concreteAddress, freePort, splitAddress } from './addresses.ts';
import { agentOptions, Member } from './member.ts';
import type { MesosControl } from './mesos/control.ts';
import { startDevMesos } from './mesos/dev-mesos.ts';
import type { Credential, Timings } from './mesos/options.ts';
import type { DevClusterConfig } from './options.ts';
import { projectRoot } from './project.ts';
import { SchedulerGroup } from './scheduler-group.ts';
import { SchedulerProcess } from './scheduler-process.ts';
import type { Substrate, SubstrateSurroundings } from './substrate.ts';
import { ZooKeeperServer } from './zookeeper.ts';

export interface ClusterSurroundings extends SubstrateSurroundings {
  /** Times of master and agents that differ from `devTimings`. */
  readonly timings?: Partial<Timings>;
  /** When given, the master wants one of them of schedulers. */
  readonly credentials?: readonly Credential[];
  /** Where that scheduler, counted from 0, reaches ZooKeeper, for who puts something between; its own address unless told. */
  readonly zookeeperFor?: (scheduler: number, address: string) => Promise<string>;
}

/** Apache Mesos's times are made for large clusters; a person or a test does not wait 75 s for a host to be lost. */
const devTimings: Partial<Timings> = { pingTimeoutMs: 1_000, maxPings: 5, registrationBackoffMs: 100 };

/** Master and agents of the cluster in this process; `programs` ends them. */
export async function startMesos(
  config: DevClusterConfig,
  substrate: Substrate,
  programs: Scope,
  zookeeper: ZooKeeperServer | undefined,
  { timings, credentials }: ClusterSurroundings,
): Promise<MesosControl> {
  const { host, port } = splitAddress(config.masterListen);
  const mesos = await startDevMesos({
    log: fileLogger(config, substrate, programs),
    host,
    ports: [port],
    ...(zookeeper === undefined ? {} : { zookeeper: mastersTree(zookeeper.address) }),
    timings: { ...devTimings, ...timings },
    ...(credentials === undefined ? {} : { credentials }),
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

/** A ZooKeeper server where several schedulers need one; `programs` ends it. */
export async function startZooKeeper(
  config: DevClusterConfig,
  substrate: Substrate,
  programs: Scope,
  { progress }: ClusterSurroundings,
): Promise<ZooKeeperServer | undefined> {
  if (!config.scheduler || config.schedulers === 1) return undefined;
  const directory = path.join(config.stateDir, 'zookeeper');
  await rm(directory, { recursive: true, force: true });
  const port = await freePort();
  const logFile = path.join(substrate.directories.logs, 'zookeeper.log');
  const server = await ZooKeeperServer.start({ directory, logFile, port, cluster: config.name });
  progress(`ZooKeeper: ${server.address}`);
  return programs.own('ZooKeeper', server, () => server.kill());
}

/** The schedulers of the cluster, not started yet. */
export async function schedulersOf(
  config: DevClusterConfig,
  substrate: Substrate,
  mesos: MesosControl,
  zookeeper: ZooKeeperServer | undefined,
  { zookeeperFor = (_scheduler, address) => Promise.resolve(address) }: ClusterSurroundings,
): Promise<SchedulerGroup> {
  const schedulers: SchedulerProcess[] = [];
  for (const [index, wanted] of apiAddresses(config).entries()) {
    const api = await concreteAddress(wanted);
    const shared = zookeeper && (await zookeeperFor(index, zookeeper.address));
    const name = index === 0 ? 'scheduler' : `scheduler-${index + 1}`;
    schedulers.push(
      new SchedulerProcess({
        cluster: config.name,
        distDir: distDirOf(config),
        masterUrls: shared === undefined ? mesos.urls : [mastersTree(shared)],
        api,
        advertised: `${substrate.plan.managementGateway}:${splitAddress(api).port}`,
        stateDir: substrate.directories.scheduler,
        logFile: path.join(substrate.directories.logs, `${name}.log`),
        logLevel: config.logLevel,
        extraArgs: [
          ...(shared === undefined ? [] : ['--zk', `zk://${shared}/${stateTree}`]),
          ...config.schedulerArgs,
        ],
      }),
    );
  }
  return new SchedulerGroup(schedulers);
}

/** Where the APIs listen: the ports after the first one's, or any. */
export function apiAddresses({ api, scheduler, schedulers }: DevClusterConfig): readonly string[] {
  const { host, port } = splitAddress(api);
  const count = scheduler ? schedulers : 0;
  return Array.from({ length: count }, (_, index) => `${host}:${port === 0 ? 0 : port + index}`);
}

/** Where the schedulers of a cluster keep their state in its ZooKeeper. */
export const stateTree = 'patchpanel';

const mastersTree = (zookeeper: string): string => `zk://${zookeeper}/mesos`;

/** Where the built programs are. */
export function distDirOf(config: DevClusterConfig): string {
  return config.distDir ?? path.join(projectRoot(), 'dist');
}
