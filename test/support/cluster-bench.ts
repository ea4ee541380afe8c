import type { AppInfo, DeploymentInfo, TaskInfo } from '../../src/cli/api-types.ts';
import { isHostPort } from '../../executor/adapters/ovsdb/host-port-plan.ts';
import { ApiClient } from '../../src/cli/client.ts';
import { Containers } from '../../src/devcluster/containers.ts';
import type { DevCluster } from '../../src/devcluster/cluster.ts';
import { cookieParts, type DropReason } from '../../src/fabric/cookie.ts';
import { busyboxImage, demoImage } from '../../src/devcluster/images.ts';
import { run, tryRun } from '../../src/runtime/process.ts';
import { sleep } from '../../src/runtime/deadline.ts';

const untilMs = 60_000;
const listenMs = 10_000;

/** A running cluster as a test sees it: the API, the containers, the hosts' switches. */
export class ClusterBench {
  readonly cluster: DevCluster;
  readonly api: ApiClient;
  readonly containers: Containers;

  /** @param apiUrl of the first scheduler unless told */
  constructor(cluster: DevCluster, apiUrl = cluster.scheduler?.apiUrl ?? '') {
    this.cluster = cluster;
    this.api = new ApiClient({ url: apiUrl });
    this.containers = new Containers(cluster.substrate.engine.client);
  }

  /** Sends a change and waits until its deployment has ended. */
  async deploy(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<void> {
    const { deploymentId } = await this.api.send(method, path, body);
    if (deploymentId === undefined) throw new Error(`${method} ${path} began no deployment`);
    await this.until(`deployment ${deploymentId} to end`, async () => {
      const deployments = await this.api.get<DeploymentInfo[]>('/v2/deployments');
      return deployments.every(({ id }) => id !== deploymentId);
    });
  }

  async add(app: Record<string, unknown>): Promise<readonly TaskInfo[]> {
    await this.deploy('POST', '/v2/apps', app);
    return this.tasks(String(app['id']));
  }

  async app(id: string): Promise<AppInfo> {
    return (await this.api.get<{ app: AppInfo }>(`/v2/apps${id}`)).app;
  }

  async tasks(id: string): Promise<readonly TaskInfo[]> {
    return (await this.app(id)).tasks ?? [];
  }

  /** Waits until exactly these many tasks of the app exist and all run. */
  async running(id: string, count: number): Promise<readonly TaskInfo[]> {
    return this.until(`${count} running tasks of ${id}`, async () => {
      const tasks = await this.tasks(id);
      return tasks.length === count && tasks.every(({ state }) => state === 'TASK_RUNNING') && tasks;
    });
  }

  /** Removes every app, also after a failure, and waits until none is left. */
  async removeAll(): Promise<void> {
    const { apps } = await this.api.get<{ apps: AppInfo[] }>('/v2/apps');
    for (const { id } of apps) await this.api.send('DELETE', `/v2/apps${id}?force=true`);
    await this.until('the tasks of the apps to be gone', async () => {
      const deployments = await this.api.get<DeploymentInfo[]>('/v2/deployments');
      return deployments.length === 0;
    });
  }

  /**
   * What the demo image's server answers to a task under an address; undefined: nothing in time. A task runs a moment
   * before its server listens, so a refused connection is tried again.
   */
  async ask(
    from: TaskInfo,
    ip: string,
  ): Promise<{ readonly task: string; readonly slot: string } | undefined> {
    const argv = ['timeout', '3', 'wget', '-q', '-O', '-', `http://${ip}/`];
    const deadline = performance.now() + listenMs;
    for (;;) {
      const { exitCode, output } = await this.containers.exec(from.id, argv);
      if (exitCode === 0) return JSON.parse(output) as { task: string; slot: string };
      if (!/refused/i.test(output) || performance.now() > deadline) return undefined;
      await sleep(100);
    }
  }

  /** Asks until the condition gives something; fails with `what` after a minute. */
  async until<T>(what: string, look: () => Promise<T | false | undefined>): Promise<T> {
    const deadline = performance.now() + untilMs;
    while (performance.now() < deadline) {
      const seen = await look();
      if (seen !== false && seen !== undefined) return seen;
      await sleep(100);
    }
    throw new Error(`waited ${untilMs / 1000} s in vain for ${what}`);
  }

  /** The flows of a host's switch with their counters, one a line. */
  async flows(host: string): Promise<readonly string[]> {
    const bridge = `unix:${this.#switchDir(host)}/br-patchpanel.mgmt`;
    const text = await run('ovs-ofctl', ['-O', 'OpenFlow15', 'dump-flows', bridge]);
    return text.split('\n').filter((line) => line.includes('table='));
  }

  /** Packets that flows of a host's switch have dropped for that reason. */
  async dropped(host: string, reason: DropReason): Promise<number> {
    return (await this.flows(host))
      .filter(
        (flow) => cookieParts(BigInt(/cookie=(0x[0-9a-f]+)/.exec(flow)?.[1] ?? 0)).dropReason === reason,
      )
      .reduce((sum, flow) => sum + Number(/n_packets=(\d+)/.exec(flow)?.[1] ?? 0), 0);
  }

  /** Names of the ports on a host that are not the host's own: one for each endpoint, if all is well. */
  async endpointPorts(host: string): Promise<readonly string[]> {
    return (await this.ports(host)).filter((name) => !isHostPort(name, []));
  }

  /** Names of the ports of our bridge on a host: the host's own and one for each endpoint. */
  async ports(host: string): Promise<readonly string[]> {
    const database = `--db=unix:${this.#switchDir(host)}/db.sock`;
    const { exitCode, stdout } = await tryRun('ovs-vsctl', [
      database,
      '--no-wait',
      'list-ports',
      'br-patchpanel',
    ]);
    return exitCode === 0 ? stdout.split('\n').filter(Boolean) : [];
  }

  /** Veths of ours in a host's namespace. */
  async veths(host: string): Promise<readonly string[]> {
    const { netns } = this.cluster.member(host).status();
    const text = await run('ip', ['-br', 'link', 'show', 'type', 'veth'], { netns });
    return text.split('\n').filter((line) => /^pp[0-9a-z]+h/.test(line));
  }

  /** Containers of ours on the engine, by role. */
  async containerCount(): Promise<{ readonly app: number; readonly sandbox: number }> {
    const list = (role: string) =>
      this.cluster.substrate.engine.client.listContainers({
        all: true,
        filters: { label: [`patchpanel.role=${role}`] },
      });
    const agents = new Set(this.cluster.members.map(({ agentId }) => String(agentId)));
    const ours = (found: { Labels: Record<string, string> }[]) =>
      found.filter(({ Labels }) => agents.has(Labels['patchpanel.agent'] ?? '')).length;
    return { app: ours(await list('app')), sandbox: ours(await list('sandbox')) };
  }

  #switchDir(host: string): string {
    return this.cluster.member(host).host.ovsRunDir;
  }
}

/** An app of the demo image (an HTTP server that says who it is) on the default network. */
export const demoApp = (id: string, fields: Record<string, unknown> = {}): Record<string, unknown> => ({
  id,
  instances: 1,
  cpus: 0.05,
  mem: 32,
  container: { docker: { image: demoImage }, portMappings: [{ containerPort: 80, name: 'http' }] },
  networks: [{ mode: 'container' }],
  ...fields,
});

/** An app of the plain busybox image that runs `cmd`. */
export const shellApp = (
  id: string,
  cmd: string,
  fields: Record<string, unknown> = {},
): Record<string, unknown> => ({
  id,
  instances: 1,
  cpus: 0.05,
  mem: 32,
  cmd,
  container: { docker: { image: busyboxImage } },
  networks: [{ mode: 'container' }],
  ...fields,
});

export const ipOf = (task: TaskInfo | undefined): string => task?.patchpanel.ip ?? 'no address';
export const addressOf = ({ patchpanel }: TaskInfo): string =>
  `${patchpanel.slot} ${patchpanel.ip} ${patchpanel.mac}`;
