import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { switchNetworkSpec } from '../../src/fabric/network-spec.ts';
import type { ViewEndpoint, ViewNetwork } from '../../src/fabric/view.ts';
import type { TestSandbox, TestUnderlay } from './openvswitch.ts';
import type { SwitchProcess } from './switch-process.ts';

const probe = new URL('tcp-probe.mjs', import.meta.url).pathname;

/** A sandbox that is plugged into the switch as this endpoint, which its view must have. */
export async function plugIn(
  underlay: TestUnderlay,
  into: SwitchProcess,
  each: ViewEndpoint,
  net: ViewNetwork,
): Promise<TestSandbox> {
  const sandbox = await underlay.sandbox();
  await into.prepare(each, switchNetworkSpec(each, net, []));
  await into.attach(each, sandbox.pid);
  return sandbox;
}

/** Serves as many bytes as each client asks for, until the underlay is closed. */
export async function serveBytes(underlay: TestUnderlay, sandbox: TestSandbox, port = 8080): Promise<void> {
  const args = ['-t', String(sandbox.pid), '-n', process.execPath, probe, 'serve', String(port)];
  const server: ChildProcess = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  underlay.defer(async () => void server.kill('SIGKILL'));
  await once(server.stdout!, 'data');
}

/** Whether so many bytes come over one TCP connection. */
export async function fetches(
  from: Pick<TestSandbox, 'exec'>,
  ip: string,
  bytes: number,
  port = 8080,
  timeoutMs = 10_000,
): Promise<boolean> {
  const args = [probe, 'fetch', ip, String(port), String(bytes), String(timeoutMs)];
  return (await from.exec(process.execPath, args)).exitCode === 0;
}

/** Waits until the expectations hold; fails with what was wrong last. */
export async function eventually(expectations: () => Promise<void>, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await expectations();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
