/**
 * A program with one Switch and a scheduler of its own on the loopback, driven over the IPC channel: the network side
 * of an executor as the tests run it inside a simulated host.
 */
import { Switch } from '../../executor/fabric/switch.ts';
import type { SwitchConfig } from '../../executor/fabric/switch-config.ts';
import { discoverUnderlayIp } from '../../executor/tasks/host-identity.ts';
import { UnderlayWatch } from '../../executor/tasks/underlay-watch.ts';
import type { EndpointKey } from '../../src/fabric/view.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { codeOf, messageOf } from '../../src/runtime/errors.ts';
import { createLogger, type LogLevel } from '../../src/runtime/logger.ts';
import { FakeScheduler } from './fake-scheduler.ts';
import type { DriverCall, DriverReply } from './switch-process.ts';

const config = JSON.parse(process.env['SWITCH_CONFIG'] ?? '{}') as SwitchConfig;
const level = (process.env['SWITCH_LOG_LEVEL'] ?? 'silent') as LogLevel;
const lost: { endpoint: EndpointKey; reason: string }[] = [];
const scheduler = new FakeScheduler();
const fabric = new Switch(config, {
  clock: systemClock,
  random: Math.random,
  log: createLogger('switch', level),
  onPortLost: (endpoint, reason) => void lost.push({ endpoint, reason }),
  onInheritedLost: (endpoint) => void lost.push({ endpoint, reason: 'inherited' }),
});
const never = new AbortController().signal;

async function perform(call: DriverCall): Promise<unknown> {
  switch (call.kind) {
    case 'start':
      if (call.withScheduler) fabric.setLeader(await scheduler.listen(), 1);
      return fabric.start();
    case 'stop':
      await fabric.stop();
      return scheduler.close();
    case 'view':
      scheduler.setView(call.view);
      return scheduler.reported(
        ({ applied }) => applied?.term === call.view.version.term && applied.n >= call.view.version.n,
      );
    case 'offer-view':
      return scheduler.setView(call.view);
    case 'watch-underlay':
      return watchUnderlay(call.peer);
    case 'converge':
      return scheduler.converge(call.endpoint);
    case 'prepare':
      return fabric.prepare(call.endpoint, call.network);
    case 'attach':
      return fabric.attach(call.endpoint, call.pid, never);
    case 'await-converged':
      return fabric.awaitConverged(call.endpoint, call.timeoutMs, never);
    case 'detach':
      return fabric.detach(call.endpoint);
    case 'clean-up':
      return fabric.cleanUp(() => false);
    case 'status':
      return { ...fabric.status(), attached: fabric.attached(), lost, reports: scheduler.reports };
  }
}

function watchUnderlay(peer: string): void {
  new UnderlayWatch({
    first: config.underlayIp,
    discover: () => discoverUnderlayIp(peer),
    onMoved: (ip) => fabric.moveUnderlay(ip),
    clock: systemClock,
    log: createLogger('switch', level),
  }).start();
}

process.on('message', (message) => {
  const { id, call } = message as { id: number; call: DriverCall };
  perform(call).then(
    (result) => reply({ id, result: result ?? null }),
    (error: unknown) => reply({ id, error: messageOf(error), code: codeOf(error) ?? 'unknown' }),
  );
});
process.on('disconnect', () => process.exit(0));

const reply = (message: DriverReply) => void process.send?.(message);
