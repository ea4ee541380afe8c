import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PatchpanelError } from '../../runtime/errors.ts';
import { createLogger } from '../../runtime/logger.ts';
import { Scope } from '../../runtime/scope.ts';
import { concreteAddress, freePort } from '../addresses.ts';
import { startDevMesos } from '../mesos/dev-mesos.ts';
import { endProcesses } from '../../runtime/other-processes.ts';
import { processesOfCluster } from '../processes.ts';
import { projectRoot } from '../project.ts';
import { SchedulerGroup } from '../scheduler-group.ts';
import { SchedulerProcess } from '../scheduler-process.ts';
import { ZooKeeperServer } from '../zookeeper.ts';
import { BenchApps } from './apps.ts';
import { usageOfGroup, type Usage } from './usage.ts';

/** What a simulated cluster is made of. */
export interface SimulatedClusterOptions {
  /** Marks its processes, so that the next run finds what a killed run has left. */
  readonly name: string;
  readonly agents: number;
  /** More of the scheduler's options. */
  readonly extraArgs: readonly string[];
}

const benchmark: SimulatedClusterOptions = {
  name: 'ppbenchsim',
  agents: 50,
  // A benchmark begins deployments faster than they end.
  extraArgs: ['--max-running-deployments', '100000'],
};

const resources = { cpus: 64, mem: 256_000, disk: 1_000_000 };

/**
 * The real scheduler in a process of its own, over HTTP before a Mesos whose agents' tasks are only states: what is
 * measured is the scheduler (and the emulated Mesos, which has the other core).
 */
export class SimulatedCluster {
  readonly apps: BenchApps;
  /** Of the first scheduler. */
  readonly apiUrl: string;
  readonly schedulers: SchedulerGroup;
  /** Where there are several schedulers. */
  readonly zookeeper: ZooKeeperServer | undefined;
  readonly #scope: Scope;

  private constructor(schedulers: SchedulerGroup, zookeeper: ZooKeeperServer | undefined, scope: Scope) {
    this.schedulers = schedulers;
    this.zookeeper = zookeeper;
    this.#scope = scope;
    this.apiUrl = schedulers.members[0]?.apiUrl ?? '';
    this.apps = new BenchApps(this.apiUrl);
  }

  /**
   * Starts it with an empty store; nothing is left when it throws. With a number of schedulers they share a real
   * ZooKeeper, with these sessions.
   */
  static async start(
    several?: SeveralSchedulers,
    options: SimulatedClusterOptions = benchmark,
  ): Promise<SimulatedCluster> {
    const log = createLogger('bench', 'warn');
    const scope = new Scope(log);
    try {
      await endProcesses(await processesOfCluster(options.name), 5_000);
      const directory = await mkdtemp(path.join(tmpdir(), 'pp-bench-'));
      scope.defer('directory', () => rm(directory, { recursive: true, force: true }));
      const mesos = await startDevMesos({ log });
      scope.own('Mesos', mesos, () => mesos.close());
      for (let i = 1; i <= options.agents; i += 1) {
        await mesos.addAgent({
          hostname: `sim-${i}`,
          resources,
          workDir: path.join(directory, `agent-${i}`),
          executor: 'simulated',
        });
      }
      const zookeeper =
        several === undefined ? undefined : await startZooKeeper(options.name, directory, scope);
      const members: SchedulerProcess[] = [];
      for (let i = 1; i <= (several?.count ?? 1); i += 1) {
        members.push(
          await newScheduler(options.name, directory, `scheduler-${i}`, mesos.urls, [
            ...sharing(zookeeper, several),
            ...options.extraArgs,
          ]),
        );
      }
      for (const member of members) {
        scope.own('scheduler', member, () => member.stop());
        await member.start();
      }
      return new SimulatedCluster(new SchedulerGroup(members), zookeeper, scope);
    } catch (error) {
      await scope.close();
      throw error;
    }
  }

  /** What the process of the first scheduler, or of this one, uses. */
  usage(scheduler = this.schedulers.members[0]): Promise<Usage> {
    const pid = scheduler?.pid;
    if (pid === undefined) throw new PatchpanelError('external', 'the scheduler of the benchmark has ended');
    return usageOfGroup(pid);
  }

  /** Ends and removes everything. */
  stop(): Promise<void> {
    return this.#scope.close();
  }
}

export interface SeveralSchedulers {
  readonly count: number;
  readonly sessionSeconds: number;
}

async function startZooKeeper(cluster: string, directory: string, scope: Scope): Promise<ZooKeeperServer> {
  const port = await freePort();
  const options = { directory: path.join(directory, 'zookeeper'), port, cluster };
  const server = await ZooKeeperServer.start(options);
  return scope.own('ZooKeeper', server, () => server.kill());
}

const sharing = (
  zookeeper: ZooKeeperServer | undefined,
  several: SeveralSchedulers | undefined,
): readonly string[] =>
  zookeeper === undefined || several === undefined
    ? []
    : [`--zk=zk://${zookeeper.address}/patchpanel`, `--zk-session-timeout=${several.sessionSeconds}`];

const newScheduler = async (
  cluster: string,
  directory: string,
  name: string,
  masterUrls: readonly string[],
  extraArgs: readonly string[],
): Promise<SchedulerProcess> =>
  new SchedulerProcess({
    cluster,
    distDir: path.join(projectRoot(), 'dist'),
    masterUrls,
    api: await concreteAddress('127.0.0.1:0'),
    advertised: await concreteAddress('127.0.0.1:0'),
    stateDir: path.join(directory, name),
    logFile: path.join(directory, `${name}.log`),
    logLevel: 'warn',
    extraArgs,
  });
