import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PatchpanelError } from '../../runtime/errors.ts';
import { createLogger } from '../../runtime/logger.ts';
import { Scope } from '../../runtime/scope.ts';
import { concreteAddress } from '../addresses.ts';
import { startDevMesos } from '../mesos/dev-mesos.ts';
import { endProcesses } from '../../runtime/other-processes.ts';
import { processesOfCluster } from '../processes.ts';
import { projectRoot } from '../project.ts';
import { SchedulerProcess } from '../scheduler-process.ts';
import { BenchApps } from './apps.ts';
import { usageOfGroup, type Usage } from './usage.ts';

/** Marks the scheduler's process, so that the next run finds one that a killed run has left. */
const clusterName = 'ppbenchsim';

const agents = 50;
const resources = { cpus: 64, mem: 256_000, disk: 1_000_000 };

/**
 * The real scheduler in a process of its own, over HTTP before a Mesos whose agents' tasks are only states: what is
 * measured is the scheduler (and the emulated Mesos, which has the other core).
 */
export class SimulatedCluster {
  readonly apps: BenchApps;
  readonly apiUrl: string;
  readonly #scheduler: SchedulerProcess;
  readonly #scope: Scope;

  private constructor(scheduler: SchedulerProcess, scope: Scope) {
    this.#scheduler = scheduler;
    this.#scope = scope;
    this.apiUrl = scheduler.apiUrl;
    this.apps = new BenchApps(scheduler.apiUrl);
  }

  /** Starts it with an empty store; nothing is left when it throws. */
  static async start(): Promise<SimulatedCluster> {
    const log = createLogger('bench', 'warn');
    const scope = new Scope(log);
    try {
      await endProcesses(await processesOfCluster(clusterName), 5_000);
      const directory = await mkdtemp(path.join(tmpdir(), 'pp-bench-'));
      scope.defer('directory', () => rm(directory, { recursive: true, force: true }));
      const mesos = await startDevMesos({ log });
      scope.own('Mesos', mesos, () => mesos.close());
      for (let i = 1; i <= agents; i += 1) {
        await mesos.addAgent({
          hostname: `sim-${i}`,
          resources,
          workDir: path.join(directory, `agent-${i}`),
          executor: 'simulated',
        });
      }
      const scheduler = new SchedulerProcess({
        cluster: clusterName,
        distDir: path.join(projectRoot(), 'dist'),
        masterUrls: mesos.urls,
        api: await concreteAddress('127.0.0.1:0'),
        advertised: await concreteAddress('127.0.0.1:0'),
        stateDir: path.join(directory, 'scheduler'),
        logFile: path.join(directory, 'scheduler.log'),
        logLevel: 'warn',
        extraArgs: [],
      });
      scope.own('scheduler', scheduler, () => scheduler.stop());
      await scheduler.start();
      return new SimulatedCluster(scheduler, scope);
    } catch (error) {
      await scope.close();
      throw error;
    }
  }

  /** What the scheduler's process uses. */
  usage(): Promise<Usage> {
    const { pid } = this.#scheduler;
    if (pid === undefined) throw new PatchpanelError('external', 'the scheduler of the benchmark has ended');
    return usageOfGroup(pid);
  }

  /** Ends and removes everything. */
  stop(): Promise<void> {
    return this.#scope.close();
  }
}
