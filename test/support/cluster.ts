import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { cleanDeadClusters } from '../../src/devcluster/cleanup.ts';
import { DevCluster } from '../../src/devcluster/cluster.ts';
import type { DevClusterOptions } from '../../src/devcluster/options.ts';
import type { ClusterSurroundings } from '../../src/devcluster/programs.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { freePort } from '../../src/devcluster/addresses.ts';
import { uniqueClusterName } from './machine.ts';

export interface TestClusterOptions extends Omit<DevClusterOptions, 'name' | 'stateDir' | 'api'> {
  readonly timings?: ClusterSurroundings['timings'];
  readonly credentials?: ClusterSurroundings['credentials'];
  readonly zookeeperFor?: ClusterSurroundings['zookeeperFor'];
}

const startTimeoutMs = 180_000;
const stopTimeoutMs = 120_000;

/** Set it to keep the logs of the clusters (their places are printed). */
const keepLogs = process.env['PATCHPANEL_KEEP_LOGS'] !== undefined;

/**
 * Gives the tests of a file a whole cluster of their own: started before the first test, removed after the last, also
 * when they fail. Name, ports and state directory are unique, so files may run side by side. What earlier, killed
 * test runs have left is removed first. Call it at the top of the file; the function that it gives returns the cluster.
 */
export function useCluster(options: TestClusterOptions = {}): () => DevCluster {
  let cluster: DevCluster | undefined;
  let stateDir: string | undefined;

  beforeAll(async () => {
    await cleanDeadClusters(log);
    stateDir = await mkdtemp(path.join(tmpdir(), 'pp-'));
    cluster = await startTestCluster(stateDir, options);
  }, startTimeoutMs);

  afterAll(async () => {
    await cluster?.stop();
    // Without a cluster the start has failed: its logs say why.
    if (stateDir === undefined) return;
    if (cluster === undefined || keepLogs) process.stderr.write(`logs of the cluster: ${stateDir}/logs\n`);
    else await rm(stateDir, { recursive: true, force: true });
  }, stopTimeoutMs);

  return () => {
    if (cluster === undefined) throw new Error('the cluster has not been started');
    return cluster;
  };
}

const log = createLogger('test', 'warn');

/** A cluster with a unique name on free ports; the caller stops it. */
export async function startTestCluster(
  stateDir: string,
  { timings, credentials, zookeeperFor, ...options }: TestClusterOptions = {},
): Promise<DevCluster> {
  return DevCluster.start(
    {
      masterListen: '127.0.0.1:0',
      controlListen: '127.0.0.1:0',
      ...options,
      name: uniqueClusterName(),
      stateDir,
      api: `127.0.0.1:${await freePort()}`,
    },
    {
      log,
      dockerHost: process.env['DOCKER_HOST'],
      progress: () => undefined,
      ...(timings === undefined ? {} : { timings }),
      ...(credentials === undefined ? {} : { credentials }),
      ...(zookeeperFor === undefined ? {} : { zookeeperFor }),
    },
  );
}
