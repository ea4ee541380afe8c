import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { SwitchConfig, SwitchStatus } from '../../executor/fabric/switch-config.ts';
import type { AttachTimings } from '../../executor/core/ports.ts';
import type { HostReport } from '../../src/fabric/view-wire.ts';
import type { EndpointKey, View } from '../../src/fabric/view.ts';
import type { SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import { agentId, executorId } from '../../src/model/ids.ts';
import { PatchpanelError, type ErrorCode } from '../../src/runtime/errors.ts';
import type { TestHost } from './openvswitch.ts';

/** What the driver program is asked to do. */
export type DriverCall =
  | { readonly kind: 'start'; readonly withScheduler: boolean }
  | { readonly kind: 'stop' | 'clean-up' | 'status' }
  | { readonly kind: 'view' | 'offer-view'; readonly view: View }
  | { readonly kind: 'watch-underlay'; readonly peer: string }
  | { readonly kind: 'prepare'; readonly endpoint: EndpointKey; readonly network: SwitchNetworkSpec }
  | { readonly kind: 'attach'; readonly endpoint: EndpointKey; readonly pid: number }
  | { readonly kind: 'await-converged'; readonly endpoint: EndpointKey; readonly timeoutMs: number }
  | { readonly kind: 'detach' | 'converge'; readonly endpoint: EndpointKey };

export type DriverReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string; readonly code: string };

export interface DriverStatus extends SwitchStatus {
  readonly attached: readonly EndpointKey[];
  readonly lost: readonly { readonly endpoint: EndpointKey; readonly reason: string }[];
  readonly reports: readonly HostReport[];
}

/** The driver program, built once; remove it with close(). */
export async function buildDriver(): Promise<{ readonly file: string; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'pp-switch-driver-'));
  const file = join(directory, 'driver.cjs');
  const entry = new URL('switch-driver.ts', import.meta.url).pathname;
  await build({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  return { file, close: () => rm(directory, { recursive: true, force: true }) };
}

export const hostAgent = (host: TestHost) => agentId(`agent-${host.netns}`);

/** A Switch in a process of its own, in the namespace of a simulated host. */
export class SwitchProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: unknown) => void }
  >();
  #nextId = 1;

  constructor(
    driver: string,
    host: TestHost,
    overrides: Partial<SwitchConfig> = {},
    env: Readonly<Record<string, string>> = {},
  ) {
    const config: SwitchConfig = {
      agentId: hostAgent(host),
      executorId: executorId(`executor-${host.netns}`),
      runId: `run-${host.netns}`,
      hostname: host.netns,
      hostKey: `key-${host.netns}`,
      ovsRunDir: host.runDir,
      stateDir: host.stateDir,
      bridge: 'br-patchpanel',
      underlayIp: host.underlayIp,
      datapath: 'auto',
      dockerVersion: 'none',
      ...overrides,
    };
    this.#child = spawn('ip', ['netns', 'exec', host.netns, process.execPath, driver], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '', SWITCH_CONFIG: JSON.stringify(config), ...env },
    });
    this.#child.on('message', (message) => this.#received(message as DriverReply));
    this.#child.on('exit', (code, signal) => this.#exited(`the switch process ended (${code ?? signal})`));
  }

  start(withScheduler = true): Promise<void> {
    return this.#call({ kind: 'start', withScheduler });
  }

  /** Resolves when the switch has reported the view as applied. */
  view(view: View): Promise<void> {
    return this.#call({ kind: 'view', view });
  }

  /** Sends the view without waiting for anything. */
  offerView(view: View): Promise<void> {
    return this.#call({ kind: 'offer-view', view });
  }

  /** From now on the underlay address follows that of the route to the peer. */
  watchUnderlay(peer: string): Promise<void> {
    return this.#call({ kind: 'watch-underlay', peer });
  }

  prepare(endpoint: EndpointKey, network: SwitchNetworkSpec): Promise<void> {
    return this.#call({ kind: 'prepare', endpoint, network });
  }

  attach(endpoint: EndpointKey, pid: number): Promise<AttachTimings> {
    return this.#call({ kind: 'attach', endpoint, pid });
  }

  awaitConverged(endpoint: EndpointKey, timeoutMs: number): Promise<void> {
    return this.#call({ kind: 'await-converged', endpoint, timeoutMs });
  }

  converge(endpoint: EndpointKey): Promise<void> {
    return this.#call({ kind: 'converge', endpoint });
  }

  detach(endpoint: EndpointKey): Promise<void> {
    return this.#call({ kind: 'detach', endpoint });
  }

  cleanUp(): Promise<readonly EndpointKey[]> {
    return this.#call({ kind: 'clean-up' });
  }

  status(): Promise<DriverStatus> {
    return this.#call({ kind: 'status' });
  }

  /** Stops in order, then ends the process. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.connected) await this.#call({ kind: 'stop' });
    await this.kill();
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  #call<T>(call: DriverCall): Promise<T> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#child.send({ id, call });
    });
  }

  #received(reply: DriverReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('error' in reply) pending?.reject(new PatchpanelError(reply.code as ErrorCode, reply.error));
    else pending?.resolve(reply.result);
  }

  #exited(reason: string): void {
    for (const pending of this.#pending.values()) pending.reject(new Error(reason));
    this.#pending.clear();
  }
}
