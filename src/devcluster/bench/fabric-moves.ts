import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { AddressInfo, Socket } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { hostRoutes } from '../../../scheduler/api/hosts/routes.ts';
import { defaultViewLimits, ViewHub } from '../../../scheduler/driver/views/hub.ts';
import { endpointKey, type View, type ViewEndpoint } from '../../fabric/view.ts';
import type { AgentId } from '../../model/ids.ts';
import { systemClock } from '../../runtime/clock.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import { projectRoot } from '../project.ts';
import { figure, type Figure } from './figures.ts';
import { movedTo, simulatedFabric } from './simulated-fabric.ts';

const readyWithinMs = 300_000;
const moveWithinMs = 60_000;
/** A host that takes long is waited for: that it takes long is what is measured. */
const ackTimeoutMs = 120_000;

/**
 * Moves of one endpoint, seen by so many simulated hosts that share its network: from the change in the leader's hub until
 * every host has acknowledged, over real HTTP.
 */
export async function measureMoves(
  hosts: number,
  endpoints: number,
  moves: number,
): Promise<readonly Figure[]> {
  const fabric = new LeaderBench(simulatedFabric(hosts, endpoints));
  try {
    await fabric.start();
    const before = { cpu: process.cpuUsage(), bytes: fabric.bytesSent };
    const times: number[] = [];
    for (let i = 0; i < moves; i += 1) times.push(await fabric.move(i));
    const cpu = process.cpuUsage(before.cpu);
    const what = `a move, seen by ${hosts} hosts`;
    const comparison = hosts === 100 ? ({ target: { of: 'p99', is: 'at most', limit: 1_000 } } as const) : {};
    return [
      figure('fabric', `${what}: until all have acknowledged`, 'ms', times, comparison),
      figure('fabric', `${what}: sent by the leader`, 'KiB', [
        (fabric.bytesSent - before.bytes) / moves / 1024,
      ]),
      figure('fabric', `${what}: processor time of the leader`, 'ms', [
        (cpu.user + cpu.system) / 1_000 / moves,
      ]),
    ];
  } finally {
    await fabric.close();
  }
}

/** The leader's side of views in this process, hosts in another one. */
class LeaderBench {
  readonly #hub: ViewHub;
  readonly #server: FastifyInstance;
  readonly #sockets = new Set<Socket>();
  readonly #view: View;
  readonly #endpoints: ViewEndpoint[];
  readonly #waiting = new Map<string, () => void>();
  #child: ChildProcess | undefined;
  #closedBytes = 0;

  constructor(view: View) {
    this.#view = view;
    this.#endpoints = [...view.endpoints];
    this.#hub = new ViewHub({
      ...defaultViewLimits,
      ackTimeoutMs,
      term: 1,
      clock: systemClock,
      isReachable: () => true,
      onConverged: (endpoint) => this.#waiting.get(endpointKey(endpoint))?.(),
      onCutOff: () => undefined,
    });
    this.#server = Fastify({ logger: false, forceCloseConnections: true });
    void this.#server.register(
      hostRoutes({
        expectsHost: () => true,
        report: (host, { applied }) => Promise.resolve(applied && this.#hub.acknowledge(host, applied)),
        connectView: (host, have, sink) => this.#hub.connect(host, have, sink),
        counted: () => undefined,
        answered: () => false,
        bundle: { directory: projectRoot() },
      }),
    );
  }

  /** Bytes that left this process on all connections of hosts. */
  get bytesSent(): number {
    return [...this.#sockets].reduce((sum, socket) => sum + socket.bytesWritten, this.#closedBytes);
  }

  /** Resolves when every host has the whole view in force. */
  async start(): Promise<void> {
    this.#server.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#closedBytes += socket.bytesWritten;
        this.#sockets.delete(socket);
      });
    });
    await this.#server.listen({ host: '127.0.0.1', port: 0 });
    const { port } = this.#server.server.address() as AddressInfo;
    this.#hub.setNetworks(this.#view.networks);
    for (const host of this.#view.hosts) this.#hub.setHost(host);
    for (const endpoint of this.#endpoints) this.#hub.setEndpoints(endpoint.slot, [endpoint]);
    const hosts = this.#view.hosts.map(({ id, underlayIp }) => ({ id, underlayIp }));
    const spec = JSON.stringify({ url: `http://127.0.0.1:${port}`, hosts });
    const program = path.join(projectRoot(), 'dist', 'bench-hosts.js');
    this.#child = spawn(process.execPath, ['--max-old-space-size=8192', program, spec], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    await withDeadline(
      this.#allApplied(hosts.map(({ id }) => id)),
      readyWithinMs,
      'the first view of all hosts',
    );
  }

  /** Moves one endpoint; gives the milliseconds until all hosts have acknowledged. */
  async move(i: number): Promise<number> {
    const at = (i * 7_919) % this.#endpoints.length;
    const moved = movedTo(this.#endpoints[at]!, this.#view.hosts[(i * 31 + 1) % this.#view.hosts.length]);
    this.#endpoints[at] = moved;
    const key = endpointKey(moved);
    const converged = new Promise<void>((resolve) => this.#waiting.set(key, resolve));
    const started = performance.now();
    this.#hub.setEndpoints(moved.slot, [moved]);
    await withDeadline(converged, moveWithinMs, `the acknowledgement of ${key}`);
    this.#waiting.delete(key);
    return performance.now() - started;
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null) {
      const gone = once(child, 'exit');
      child.stdin?.end();
      await gone;
    }
    this.#hub.close();
    await this.#server.close();
  }

  async #allApplied(hosts: readonly AgentId[]): Promise<void> {
    const isBehind = (host: AgentId): boolean => this.#hub.status(host)?.lag !== 0;
    while (hosts.some(isBehind)) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
