import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { endpointKey, type View, type ViewEndpoint } from '../../fabric/view.ts';
import { withDeadline } from '../../runtime/deadline.ts';
import { projectRoot } from '../project.ts';
import { figure, type Figure } from './figures.ts';
import { movedTo, simulatedFabric } from './simulated-fabric.ts';
import { cpuMsOf } from './usage.ts';
import { ViewLeader } from './view-leader.ts';

const readyWithinMs = 600_000;
const moveWithinMs = 120_000;
/** The first ones meet code that the engine has not compiled yet, on both sides. */
const warmMoves = 5;

/**
 * Moves of one endpoint, seen by so many simulated hosts that share its network: from the change in the leader's hub until
 * every host has acknowledged, over real HTTP.
 */
export async function measureMoves(
  hosts: number,
  endpoints: number,
  moves: number,
): Promise<readonly Figure[]> {
  const fabric = new MovingFabric(simulatedFabric(hosts, endpoints));
  try {
    const startMs = await fabric.start();
    for (let i = 0; i < warmMoves; i += 1) await fabric.move(i);
    const before = { cpu: process.cpuUsage(), bytes: fabric.bytesSent, hosts: await fabric.cpuMsOfHosts() };
    const times: number[] = [];
    for (let i = 0; i < moves; i += 1) times.push(await fabric.move(warmMoves + i));
    const cpu = process.cpuUsage(before.cpu);
    const hostsMs = (await fabric.cpuMsOfHosts()) - before.hosts;
    const what = `a move, seen by ${hosts} hosts`;
    const comparison = hosts === 100 ? ({ target: { of: 'p99', is: 'at most', limit: 1_000 } } as const) : {};
    return [
      figure('fabric', `${what}: until all have acknowledged`, 'ms', times, comparison),
      figure('fabric', '  of it sent by the leader', 'KiB', [
        (fabric.bytesSent - before.bytes) / moves / 1024,
      ]),
      figure('fabric', '  processor time of the leader', 'ms', [(cpu.user + cpu.system) / 1_000 / moves]),
      // They share one process and its core: this times their number is what a move takes at least.
      figure('fabric', '  processor time of each host', 'ms', [hostsMs / moves / hosts]),
      figure('fabric', `${hosts} hosts at once: until all have their first view in force`, 's', [
        startMs / 1_000,
      ]),
    ];
  } finally {
    await fabric.close();
  }
}

/** The leader's side of views in this process, hosts in another one. */
class MovingFabric {
  readonly #leader = new ViewLeader((endpoint) => this.#waiting.get(endpointKey(endpoint))?.());
  readonly #view: View;
  readonly #endpoints: ViewEndpoint[];
  readonly #waiting = new Map<string, () => void>();
  #child: ChildProcess | undefined;

  constructor(view: View) {
    this.#view = view;
    this.#endpoints = [...view.endpoints];
  }

  get bytesSent(): number {
    return this.#leader.bytesSent;
  }

  cpuMsOfHosts(): Promise<number> {
    return cpuMsOf(this.#child?.pid ?? 0);
  }

  /** Gives the milliseconds from the start of the hosts until every one has the whole view in force. */
  async start(): Promise<number> {
    const { hub } = this.#leader;
    const url = await this.#leader.listen();
    hub.setNetworks(this.#view.networks);
    for (const host of this.#view.hosts) hub.setHost(host);
    for (const endpoint of this.#endpoints) hub.setEndpoints(endpoint.slot, [endpoint]);
    const hosts = this.#view.hosts.map(({ id, underlayIp }) => ({ id, underlayIp }));
    const started = performance.now();
    const program = path.join(projectRoot(), 'dist', 'bench-hosts.js');
    const child = spawn(process.execPath, ['--max-old-space-size=8192', program], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    this.#child = child;
    // More text than an argument may have.
    child.stdin.write(`${JSON.stringify({ url, hosts })}\n`);
    const ids = hosts.map(({ id }) => id);
    await this.#leader.whenApplied(ids, readyWithinMs);
    return performance.now() - started;
  }

  /** Moves one endpoint; gives the milliseconds until all hosts have acknowledged. */
  async move(i: number): Promise<number> {
    const at = (i * 7_919) % this.#endpoints.length;
    const moved = movedTo(this.#endpoints[at]!, this.#view.hosts[(i * 31 + 1) % this.#view.hosts.length]);
    this.#endpoints[at] = moved;
    const key = endpointKey(moved);
    const converged = new Promise<void>((resolve) => this.#waiting.set(key, resolve));
    const started = performance.now();
    this.#leader.hub.setEndpoints(moved.slot, [moved]);
    await withDeadline(converged, moveWithinMs, `the acknowledgement of ${key}`);
    this.#waiting.delete(key);
    return performance.now() - started;
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.stdin?.end();
      await gone;
    }
    await this.#leader.close();
  }
}
