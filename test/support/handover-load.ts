import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { busyboxImage } from '../../src/devcluster/images.ts';
import { shellApp, type ClusterBench } from './cluster-bench.ts';

const script = (name: string): string => path.resolve(import.meta.dirname, name);

/** Where echoServer() listens. */
export const echoPort = 9_000;

/** An echo server in Node; the image has none, so the host's is mounted with the libraries that it needs. */
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
  container: {
    docker: { image: busyboxImage },
    portMappings: [{ containerPort: echoPort }],
    volumes: [
      { containerPath: '/node', hostPath: process.execPath, mode: 'RO' },
      { containerPath: '/server.mjs', hostPath: script('handover-server.mjs'), mode: 'RO' },
      ...['/lib', '/lib64', '/usr/lib'].map((at) => ({ containerPath: at, hostPath: at, mode: 'RO' })),
    ],
  },
  networks: [{ mode: 'container' }],
  constraints: [['hostname', 'LIKE', `.*${host}`]],
  healthChecks: [{ protocol: 'MESOS_TCP', portIndex: 0, intervalSeconds: 2, delaySeconds: 0 }],
  ...fields,
});

/** A client that looks on from the third host, the process in whose namespace it is, and the only task of an echo server. */
export async function clientAndServer(
  bench: ClusterBench,
  serverHost: string,
): Promise<{ readonly client: TaskInfo; readonly pid: number; readonly server: TaskInfo }> {
  const [client] = await bench.add(
    shellApp('/client', 'sleep 10000', { constraints: [['hostname', 'LIKE', '.*h3']] }),
  );
  const [server] = await bench.add(echoServer('/echo', serverHost));
  return { client: client!, pid: await bench.containers.pid(client!.id), server: server! };
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
  /** Ids of the tasks that answered. */
  readonly servers: readonly string[];
  readonly errors: readonly string[];
}

export interface LoadShape {
  /** New connections a second, long ones at a time, how long each of these lives. */
  readonly perSecond?: number;
  readonly long?: number;
  readonly lifeMs?: number;
}

/** Clients of an echo server, in the namespaces of other processes. close() ends those that are left. */
export class HandoverClients {
  readonly #children: ChildProcess[] = [];

  /** Load from the namespace of a process to an address; the result ends it and tells what it saw. */
  load(pid: number, to: string, shape: LoadShape = {}): () => Promise<Seen> {
    const { perSecond = 220, long = 50, lifeMs = 2_000 } = shape;
    const numbers = [echoPort, perSecond, long, lifeMs].map(String);
    const child = this.#start(pid, [process.execPath, script('handover-client.mjs'), to, ...numbers]);
    const output = text(child.stdout!);
    return async () => {
      child.stdin!.end();
      return JSON.parse(await output) as Seen;
    };
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
