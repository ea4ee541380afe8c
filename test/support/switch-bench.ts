import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { switchNetworkSpec } from '../../src/fabric/network-spec.ts';
import { cookieParts } from '../../src/fabric/cookie.ts';
import type { View, ViewEndpoint } from '../../src/fabric/view.ts';
import type { SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import { endpoint, host, network, view } from './fabric-views.ts';
import { startUnderlay, type TestHost, type TestSandbox, type TestUnderlay } from './openvswitch.ts';
import { hostAgent, SwitchProcess } from './switch-process.ts';

export const bridgeName = 'br-patchpanel';
export const benchNetwork = network('default', 7, '10.32.0.0/16');
const probe = new URL('tcp-probe.mjs', import.meta.url).pathname;

/** Two hosts with a switch process each, and what a test does with them; close() removes all of it. */
export class SwitchBench {
  readonly underlay: TestUnderlay;
  readonly hosts: readonly [TestHost, TestHost];
  readonly switches: readonly [SwitchProcess, SwitchProcess];
  readonly #driver: string;

  private constructor(driver: string, underlay: TestUnderlay) {
    const [one, two] = underlay.hosts;
    this.#driver = driver;
    this.underlay = underlay;
    this.hosts = [one!, two!];
    this.switches = [this.newSwitch(one!), this.newSwitch(two!)];
  }

  /** The hosts are `<prefix>-h1` and `<prefix>-h2`; both switches are ready. */
  static async start(driver: string, prefix: string): Promise<SwitchBench> {
    const underlay = await startUnderlay(prefix, 2);
    try {
      const bench = new SwitchBench(driver, underlay);
      await Promise.all(bench.switches.map((each) => each.start()));
      return bench;
    } catch (error) {
      await underlay.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.underlay.close();
  }

  newSwitch(on: TestHost): SwitchProcess {
    const process = new SwitchProcess(this.#driver, on);
    this.underlay.defer(() => process.kill());
    return process;
  }

  web(index: number, on: TestHost): ViewEndpoint {
    const ip = `10.32.1.${index + 1}`;
    return endpoint({ app: '/web', index, network: benchNetwork, host: viewHost(on), ip });
  }

  viewOf(endpoints: readonly ViewEndpoint[], n: number): View {
    return view(this.hosts.map(viewHost), [benchNetwork], endpoints, n);
  }

  async showEveryone(endpoints: readonly ViewEndpoint[], n = 1): Promise<void> {
    await Promise.all(this.switches.map((each) => each.view(this.viewOf(endpoints, n))));
  }

  async plug(into: SwitchProcess, each: ViewEndpoint): Promise<TestSandbox> {
    const sandbox = await this.underlay.sandbox();
    await into.prepare(each, specOf(each));
    await into.attach(each, sandbox.pid);
    return sandbox;
  }

  /** A TCP server on port 8080 in the sandbox. */
  async serve(sandbox: TestSandbox): Promise<void> {
    const args = ['-t', String(sandbox.pid), '-n', process.execPath, probe, 'serve', '8080'];
    const server: ChildProcess = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.underlay.defer(async () => void server.kill('SIGKILL'));
    await once(server.stdout!, 'data');
  }
}

/** The host as views name it. */
export const viewHost = (each: TestHost) => host(hostAgent(each), each.underlayIp);

export const specOf = (each: ViewEndpoint): SwitchNetworkSpec => switchNetworkSpec(each, benchNetwork, []);

/** Whether so many bytes come from the server at `ip` in time. */
export async function reaches(
  from: TestSandbox,
  ip: string,
  bytes: number,
  timeoutMs = 10_000,
): Promise<boolean> {
  const args = [probe, 'fetch', ip, '8080', String(bytes), String(timeoutMs)];
  return (await from.exec(process.execPath, args)).exitCode === 0;
}

/** Where ovs-ofctl finds our bridge. */
export const managementOf = (each: TestHost) => `unix:${each.runDir}/${bridgeName}.mgmt`;

/** The flows of our bridge, one a line. */
export async function flowLines(each: TestHost): Promise<string[]> {
  return (await each.flows(bridgeName)).split('\n').filter((line) => line.includes('cookie='));
}

/** The cookie of a line of flowLines(). */
export const cookieIn = (line: string) => BigInt(/cookie=(0x[0-9a-f]+)/.exec(line)?.[1] ?? 0);

export const withoutCounters = (line: string) =>
  line.replace(/(duration|n_packets|n_bytes|idle_age|hard_age)=[^,]*, /g, '').trim();

/** Frames that this host dropped for the reason. */
export async function dropped(each: TestHost, reason: string): Promise<number> {
  const counts = (await flowLines(each))
    .filter((line) => cookieParts(cookieIn(line)).dropReason === reason)
    .map((line) => Number(/n_packets=(\d+)/.exec(line)?.[1] ?? 0));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Names of our veths in the host's namespace. */
export async function veths(each: TestHost): Promise<string[]> {
  const links = JSON.parse(await each.exec('ip', ['-json', 'link', 'show', 'type', 'veth'])) as {
    ifname?: string;
  }[];
  return links.map((link) => link.ifname ?? '').filter((name) => name.startsWith('pp'));
}

/** Waits until the expectations hold; fails with what was wrong last. Gives how long it took, in milliseconds. */
export async function eventually(expectations: () => Promise<void>, timeoutMs = 20_000): Promise<number> {
  const begin = performance.now();
  for (;;) {
    try {
      await expectations();
      return performance.now() - begin;
    } catch (error) {
      if (performance.now() > begin + timeoutMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
