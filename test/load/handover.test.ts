import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { busyboxImage } from '../../src/devcluster/images.ts';
import { ClusterBench, ipOf, shellApp } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';

/** Redeploys of each kind; more of them take longer and show the same. */
const redeploys = Number(process.env['PATCHPANEL_TEST_HANDOVERS'] ?? 5);

const cluster = useCluster({ hosts: 3 });
let bench: ClusterBench;
let clients: ChildProcess[];

beforeEach(() => {
  bench = new ClusterBench(cluster());
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.kill('SIGKILL');
  await bench.removeAll();
});

const script = (name: string): string => path.resolve(import.meta.dirname, '../support', name);

/** An echo server in Node; the image has none, so the host's is mounted with the libraries that it needs. */
const echoServer = (
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
    portMappings: [{ containerPort: 9000 }],
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

interface Seen {
  /** How long connections were opened. */
  readonly seconds: number;
  readonly opened: number;
  readonly failed: number;
  readonly slow: number;
  readonly longEnded: number;
  readonly longBroken: number;
  readonly echoes: number;
  readonly servers: readonly string[];
  readonly errors: readonly string[];
}

/** Starts a program in the namespace of a task. */
async function inside(task: TaskInfo, argv: readonly string[]): Promise<ChildProcess> {
  const pid = await bench.containers.pid(task.id);
  const child = spawn('nsenter', ['--target', String(pid), '--net', ...argv], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  clients.push(child);
  return child;
}

/** Load from one task to an address, until told to end. */
async function load(from: TaskInfo, to: string): Promise<() => Promise<Seen>> {
  const argv = [process.execPath, script('handover-client.mjs'), to, '9000', '220', '50', '2000'];
  const child = await inside(from, argv);
  const output = text(child.stdout!);
  return async () => {
    child.stdin!.end();
    return JSON.parse(await output) as Seen;
  };
}

/** A ping five times a second, until told to end: how many answers did not come. */
async function pings(from: TaskInfo, to: string): Promise<() => Promise<number>> {
  const child = await inside(from, ['ping', '-q', '-i', '0.2', to]);
  const output = text(child.stdout!);
  return async () => {
    child.kill('SIGINT');
    await once(child, 'exit');
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(await output) ?? [];
    return Number(sent) - Number(received);
  };
}

/** Redeploys under load, `to` giving the hosts that may have the new incarnation each time. */
async function redeployUnderLoad(to: (round: number) => string): Promise<{ seen: Seen; lost: number }> {
  const [client] = await bench.add(
    shellApp('/client', 'sleep 10000', { constraints: [['hostname', 'LIKE', '.*h3']] }),
  );
  const [first] = await bench.add(echoServer('/echo', to(0)));
  const ip = ipOf(first);
  const [endLoad, endPings] = [await load(client!, ip), await pings(client!, ip)];
  for (let round = 1; round <= redeploys; round += 1) {
    await bench.deploy(
      'PUT',
      '/v2/apps/echo',
      echoServer('/echo', to(round), { env: { ROUND: `${round}` } }),
    );
    const [task] = await bench.running('/echo', 1);
    expect([task?.host, ipOf(task)]).toEqual([expect.stringMatching(`${to(round)}$`), ip]);
  }
  return { seen: await endLoad(), lost: await endPings() };
}

function expectUnbroken({ seen, lost }: { seen: Seen; lost: number }): void {
  expect(seen.errors).toEqual([]);
  expect(seen).toMatchObject({ failed: 0, longBroken: 0 });
  // All incarnations served, and the load was what it should be.
  expect(seen.servers).toHaveLength(redeploys + 1);
  expect(seen.opened / seen.seconds).toBeGreaterThanOrEqual(200);
  expect(seen.longEnded).toBeGreaterThan(50);
  expect(lost).toBeLessThanOrEqual(redeploys);
}

test('redeploys between hosts under load break no connection and refuse none', async () => {
  expectUnbroken(await redeployUnderLoad((round) => (round % 2 === 0 ? 'h1' : 'h2')));
});

test('redeploys on one host under load break no connection and refuse none', async () => {
  expectUnbroken(await redeployUnderLoad(() => 'h1'));
});
