import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { busyboxImage } from '../../src/devcluster/images.ts';
import type { DevCluster } from '../../src/devcluster/cluster.ts';
import { addressOf, ClusterBench, shellApp } from './cluster-bench.ts';
import { useCluster } from './cluster.ts';

const script = (name: string): string => path.resolve(import.meta.dirname, name);

/** Where echoServer() listens. */
export const echoPort = 9_000;

/** Node with the program; the image has none, so the host's is mounted with the libraries that it needs. */
const echoContainer = {
  docker: { image: busyboxImage },
  portMappings: [{ containerPort: echoPort }],
  volumes: [
    { containerPath: '/node', hostPath: process.execPath, mode: 'RO' },
    { containerPath: '/server.mjs', hostPath: script('handover-server.mjs'), mode: 'RO' },
    ...['/lib', '/lib64', '/usr/lib'].map((at) => ({ containerPath: at, hostPath: at, mode: 'RO' })),
  ],
};

/** An echo server in Node. */
export const echoServer = (
  id: string,
  host: string,
  fields: Record<string, unknown> = {},
): Record<string, unknown> => ({
  id,
  instances: 1,
  cpus: 0.1,
  mem: 128,
  cmd: 'exec /node /server.mjs',
  container: echoContainer,
  networks: [{ mode: 'container' }],
  constraints: [['hostname', 'LIKE', `.*${host}`]],
  healthChecks: [{ protocol: 'MESOS_TCP', portIndex: 0, intervalSeconds: 2, delaySeconds: 0 }],
  ...fields,
});

/** Fields of an echo server that is published on every host under that port. */
export const publishedEcho = (hostPort: number): Record<string, unknown> => ({
  container: {
    ...echoContainer,
    portMappings: [{ containerPort: echoPort, labels: { 'patchpanel.expose': String(hostPort) } }],
  },
});

/**
 * Redeploys /echo so that its only task comes up on that host (`h1`) under the address that it had, and gives the task
 * when the deployment has ended.
 */
export async function redeployEcho(
  bench: ClusterBench,
  host: string,
  round: number,
  fields: Record<string, unknown> = {},
): Promise<TaskInfo> {
  const [before] = await bench.running('/echo', 1);
  await bench.deploy(
    'PUT',
    '/v2/apps/echo',
    echoServer('/echo', host, { env: { ROUND: `${round}` }, ...fields }),
  );
  const [task] = await bench.running('/echo', 1);
  expect(task!.id).not.toBe(before!.id);
  expect(task!.host).toMatch(new RegExp(`${host}$`));
  expect(addressOf(task!)).toBe(addressOf(before!));
  return task!;
}

/** A client that looks on from the third host, the process in whose namespace it is, and the only task of an echo server. */
export async function clientAndServer(
  bench: ClusterBench,
  serverHost: string,
  clientHost = 'h3',
): Promise<{ readonly client: TaskInfo; readonly pid: number; readonly server: TaskInfo }> {
  const [client] = await bench.add(
    shellApp('/client', 'sleep 10000', { constraints: [['hostname', 'LIKE', `.*${clientHost}`]] }),
  );
  const [server] = await bench.add(echoServer('/echo', serverHost));
  return { client: client!, pid: await bench.containers.pid(client!.id), server: server! };
}

/** A connection that ended otherwise than its client wanted. Times are the client's own, in milliseconds. */
interface Loss {
  readonly kind: 'failed' | 'longBroken';
  readonly why: string;
  readonly openedAt: number;
  readonly endedAt: number;
}

/** What a load saw until it was ended. */
export interface Seen {
  /** How long connections were opened. */
  readonly seconds: number;
  readonly opened: number;
  readonly failed: number;
  readonly slow: number;
  readonly longEnded: number;
  readonly longBroken: number;
  readonly echoes: number;
  /** Tasks that answered, in turn, with the times of the first answer and of the opening of the last answered connection. */
  readonly servers: readonly {
    readonly task: string;
    readonly firstAt: number;
    readonly lastOpenedAt: number;
  }[];
  readonly lost: readonly Loss[];
}

/** Nothing was lost, each of that many incarnations served, and the load was what it should be. */
export function expectUnbroken(seen: Seen, incarnations: number, perSecond: number): void {
  expect({ servers: seen.servers, lost: seen.lost.slice(0, 20) }).toMatchObject({ lost: [] });
  expect(seen).toMatchObject({ failed: 0, longBroken: 0 });
  expect(seen.servers).toHaveLength(incarnations);
  expect(seen.opened / seen.seconds).toBeGreaterThanOrEqual(perSecond);
  expect(seen.longEnded).toBeGreaterThan(0);
}

/**
 * What was lost with each flip from one incarnation to the next, and what no flip explains: a connection that was opened
 * after the next one had answered, or that ended while the one before still got new ones.
 */
export function lossesByFlip({ servers, lost }: Seen): {
  readonly flips: readonly (readonly Loss[])[];
  readonly unexplained: readonly Loss[];
} {
  const flips = servers.slice(1).map((next, i) => {
    const lastOpenedAt = servers[i]?.lastOpenedAt ?? 0;
    return lost.filter(({ openedAt, endedAt }) => openedAt < next.firstAt && endedAt >= lastOpenedAt);
  });
  const explained = new Set(flips.flat());
  return { flips, unexplained: lost.filter((loss) => !explained.has(loss)) };
}

export interface LoadShape {
  /** New connections a second, long ones at a time, how long each of these lives; the port, if not the server's own. */
  readonly perSecond?: number;
  readonly long?: number;
  readonly lifeMs?: number;
  readonly port?: number;
}

/** Clients of an echo server, in the namespaces of other processes. close() ends those that are left. */
export class HandoverClients {
  readonly #children: ChildProcess[] = [];

  /** Load from the namespace of a process to an address; the result ends it and tells what it saw. */
  load(pid: number, to: string, shape: LoadShape = {}): () => Promise<Seen> {
    const { perSecond = 220, long = 50, lifeMs = 2_000, port = echoPort } = shape;
    const numbers = [port, perSecond, long, lifeMs].map(String);
    const child = this.#start(pid, [process.execPath, script('handover-client.mjs'), to, ...numbers]);
    const output = text(child.stdout!);
    return async () => {
      child.stdin!.end();
      return JSON.parse(await output) as Seen;
    };
  }

  /** What an echo server says first to who connects from the namespace of a process: its task; undefined: nothing in time. */
  async greeting(pid: number, to: string, port: number): Promise<string | undefined> {
    const child = this.#start(pid, ['timeout', '3', 'busybox', 'nc', to, String(port)]);
    child.stdin!.end();
    return (await text(child.stdout!)).split('\n')[0] || undefined;
  }

  /** A ping five times a second; the result ends it and gives how many answers did not come. */
  pings(pid: number, to: string): () => Promise<number> {
    const child = this.#start(pid, ['ping', '-q', '-i', '0.2', to]);
    const output = text(child.stdout!);
    return async () => {
      child.kill('SIGINT');
      await once(child, 'exit');
      const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(await output) ?? [];
      return Number(sent) - Number(received);
    };
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  #start(pid: number, argv: readonly string[]): ChildProcess {
    const child = spawn('nsenter', ['--target', String(pid), '--net', ...argv], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    return child;
  }
}

/** A cluster of three hosts for a file's tests of handovers; each test has a bench and clients of its own, both cleared up after it. */
export function useHandovers(): {
  readonly cluster: () => DevCluster;
  readonly bench: () => ClusterBench;
  readonly clients: () => HandoverClients;
} {
  const cluster = useCluster({ hosts: 3 });
  let bench: ClusterBench;
  let clients: HandoverClients;
  beforeEach(() => {
    bench = new ClusterBench(cluster());
    clients = new HandoverClients();
  });
  afterEach(async () => {
    clients.close();
    await bench.removeAll();
  });
  return { cluster, bench: () => bench, clients: () => clients };
}
