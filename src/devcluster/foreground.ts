import { messageOf, PatchpanelError } from '../runtime/errors.ts';
import { DevCluster } from './cluster.ts';
import { devClusterConfig, type DevClusterOptions } from './options.ts';
import { endProcesses } from '../runtime/other-processes.ts';
import { processesOfCluster } from './processes.ts';
import type { ClusterSurroundings } from './programs.ts';

export type ForegroundSurroundings = Omit<ClusterSurroundings, 'signal'>;

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a cluster until `work` is done or the process is asked to end, then removes it; says which it was. A second
 * signal kills what the first one only asked to end; everything is removed all the same.
 * @throws what DevCluster.start throws; `aborted` when the signal came before the cluster was up
 */
export async function runInForeground(
  options: DevClusterOptions,
  surroundings: ForegroundSurroundings,
  work: (cluster: DevCluster, stopped: Promise<void>) => Promise<void>,
): Promise<'done' | 'interrupted'> {
  const { name } = devClusterConfig(options);
  const stop = new StopRequest(surroundings.progress, () => killPrograms(name));
  try {
    const cluster = await startUnlessStopped(options, surroundings, stop.signal);
    try {
      await Promise.race([work(cluster, stop.requested), stop.requested]);
    } finally {
      await cluster.stop();
    }
    surroundings.progress('all of it is removed');
    return stop.signal.aborted ? 'interrupted' : 'done';
  } finally {
    stop.close();
  }
}

async function startUnlessStopped(
  options: DevClusterOptions,
  surroundings: ForegroundSurroundings,
  signal: AbortSignal,
): Promise<DevCluster> {
  try {
    return await DevCluster.start(options, { ...surroundings, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    // A signal from the terminal also ends the small programs that were at work: any failure is a consequence.
    throw new PatchpanelError('aborted', 'interrupted before the cluster was up', { cause: error });
  }
}

async function killPrograms(name: string): Promise<void> {
  await endProcesses(await processesOfCluster(name), 0);
}

/** The process's signals as one request to stop and, later, one to hurry. */
class StopRequest {
  readonly requested: Promise<void>;
  readonly #abort = new AbortController();
  readonly #progress: (line: string) => void;
  readonly #hurry: () => Promise<void>;
  #announce: () => void = () => undefined;

  constructor(progress: (line: string) => void, hurry: () => Promise<void>) {
    this.#progress = progress;
    this.#hurry = hurry;
    this.requested = new Promise((resolve) => {
      this.#announce = resolve;
    });
    for (const signal of stopSignals) process.on(signal, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  close(): void {
    for (const signal of stopSignals) process.off(signal, this.#onSignal);
  }

  #onSignal = (): void => {
    if (this.#abort.signal.aborted) {
      this.#progress('hurrying');
      this.#hurry().catch((error: unknown) => this.#progress(`cannot hurry: ${messageOf(error)}`));
      return;
    }
    this.#progress('stopping: removing everything that the cluster has made (once more to hurry)');
    this.#abort.abort(new PatchpanelError('aborted', 'the start was interrupted'));
    this.#announce();
  };
}
