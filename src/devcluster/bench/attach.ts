import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { DevCluster } from '../cluster.ts';
import { busyboxImage } from '../images.ts';
import { ApiClient } from '../../cli/client.ts';
import type { DeploymentInfo } from '../../cli/api-types.ts';
import { sleep } from '../../runtime/deadline.ts';

const deadlineMs = 180_000;

/** Milliseconds of the parts of one task's start, as its executor measured them. */
export interface StartTimings {
  readonly attachMs: number;
  readonly totalMs: number;
}

/** Milliseconds from create to running of `count` plain containers without a network, one after the other. */
export async function plainStarts(cluster: DevCluster, count: number): Promise<number[]> {
  const docker = cluster.substrate.engine.client;
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const started = performance.now();
    const container = await docker.createContainer({
      Image: busyboxImage,
      Cmd: ['sleep', '1000'],
      HostConfig: { NetworkMode: 'none' },
    });
    await container.start();
    times.push(performance.now() - started);
    await container.remove({ force: true });
  }
  return times;
}

/** Scales one app and gives the milliseconds until the deployment has ended. */
export async function deployMs(cluster: DevCluster, instances: number): Promise<number> {
  const api = new ApiClient(cluster.scheduler?.apiUrl ?? '');
  const definition = {
    id: '/bench',
    instances,
    cpus: 0.05,
    mem: 16,
    cmd: 'exec sleep 100000',
    container: { docker: { image: busyboxImage } },
    networks: [{ mode: 'container' }],
  };
  const started = performance.now();
  const { deploymentId } = await api.send('PUT', '/v2/apps/bench', definition);
  while (performance.now() - started < deadlineMs) {
    const deployments = await api.get<DeploymentInfo[]>('/v2/deployments');
    if (deployments.every(({ id }) => id !== deploymentId)) return performance.now() - started;
    await sleep(20);
  }
  throw new Error(`deployment ${deploymentId} of ${instances} instances took longer than ${deadlineMs} ms`);
}

/** The timings that the executors of the cluster have logged so far, in the order of their files. */
export async function loggedStarts(cluster: DevCluster): Promise<StartTimings[]> {
  const root = path.join(cluster.config.stateDir, 'hosts');
  const files = await readdir(root, { recursive: true });
  const timings: StartTimings[] = [];
  for (const file of files) {
    if (!/runs\/[^/]+\/stderr$/.test(file) || file.includes('/latest/')) continue;
    for (const line of (await readFile(path.join(root, file), 'utf8')).split('\n')) {
      if (!line.includes('"attachMs"')) continue;
      timings.push((JSON.parse(line) as { timings: StartTimings }).timings);
    }
  }
  return timings;
}
