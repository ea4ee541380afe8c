// The network side of an executor, alone: started in the namespace of a host of the dev cluster with a SwitchSpec, it
// prints SwitchFigures. Its bridge is left for whoever started it to remove.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Launcher } from '../../executor/adapters/launcher/launcher.ts';
import { runProgramsBy } from '../../executor/adapters/program.ts';
import { Switch } from '../../executor/fabric/switch.ts';
import { switchNetworkSpec } from '../fabric/network-spec.ts';
import { type ViewEndpoint, type ViewNetwork } from '../fabric/view.ts';
import { executorId } from '../model/ids.ts';
import { systemClock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { createLogger } from '../runtime/logger.ts';
import { simulatedFabric } from './bench/simulated-fabric.ts';
import { switchSpecSchema, type SwitchFigures, type SwitchSpec } from './bench/switch-figures.ts';
import { ViewLeader } from './bench/view-leader.ts';
import { projectRoot } from './project.ts';

/** Hosts of the fabric; this one is the first. */
const hosts = 20;
const readyWithinMs = 60_000;
const log = createLogger('bench-switch', 'error');
const never = new AbortController().signal;

async function main(spec: SwitchSpec): Promise<SwitchFigures> {
  const boxes: ChildProcess[] = [];
  const leader = new ViewLeader(() => undefined);
  const fabric = newSwitch(spec, await leader.listen());
  try {
    const { own, network } = await showFabric(spec, leader, fabric);
    for (const _ of own) boxes.push(await newBox());
    const attach = (endpoint: ViewEndpoint, at: number) => {
      fabric.prepare(endpoint, switchNetworkSpec(endpoint, network, []));
      return fabric.attach(endpoint, boxes[at]?.pid ?? 0, never);
    };
    const alone: number[] = [];
    for (let i = 0; i < spec.alone; i += 1) alone.push(await timeOf(() => attach(own[i]!, i)));
    const many = own.slice(spec.alone);
    const atOnce = await Promise.all(many.map((each, i) => timeOf(() => attach(each, spec.alone + i))));
    const resyncs: number[] = [];
    for (let i = 0; i < spec.resyncs; i += 1) resyncs.push(await timeOf(() => fabric.resync()));
    const { flows } = fabric.status();
    await Promise.all(own.map((each) => fabric.detach(each)));
    return { alone, atOnce, resyncs, flows };
  } finally {
    await fabric.stop();
    await leader.close();
    for (const box of boxes) box.kill('SIGKILL');
  }
}

function newSwitch({ hostname, underlayIp, ovsRunDir, stateDir }: SwitchSpec, schedulerUrl: string): Switch {
  const [self] = simulatedFabric(1, 0).hosts;
  return new Switch(
    {
      agentId: self!.id,
      executorId: executorId('bench'),
      runId: 'bench',
      hostname,
      hostKey: 'bench',
      ovsRunDir,
      stateDir,
      bridge: 'br-patchpanel',
      underlayIp,
      datapath: 'netdev',
      dockerVersion: 'none',
      schedulerUrl,
    },
    {
      clock: systemClock,
      random: Math.random,
      log,
      onPortLost: () => undefined,
      onInheritedLost: () => undefined,
    },
  );
}

/** Starts the switch with a view of this host and others; gives what is to be plugged in here. */
async function showFabric(
  { alone, atOnce, addresses, underlayIp }: SwitchSpec,
  leader: ViewLeader,
  fabric: Switch,
): Promise<{ readonly own: readonly ViewEndpoint[]; readonly network: ViewNetwork }> {
  const { hub } = leader;
  const view = simulatedFabric(hosts, addresses);
  const [self, ...others] = view.hosts;
  const endpoints = view.endpoints.map((each, i) => ({
    ...each,
    host: i < alone + atOnce ? self!.id : others[i % others.length]!.id,
  }));
  hub.setNetworks(view.networks);
  hub.setHost({ ...self!, underlayIp });
  for (const other of others) hub.setHost(other);
  for (const each of endpoints) hub.setEndpoints(each.slot, [each]);
  await fabric.start();
  await leader.whenApplied([self!.id], readyWithinMs);
  return { own: endpoints.slice(0, alone + atOnce), network: view.networks[0]! };
}

/** A process in a network namespace of its own, as a sandbox is; it ends with our end of its input. */
async function newBox(): Promise<ChildProcess> {
  const child = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.write('ready\n');
  await once(child.stdout, 'data');
  return child;
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

// As the executor does.
const program = path.join(projectRoot(), 'dist', 'executor', 'launcher.cjs');
const launcher = new Launcher({
  node: process.execPath,
  program,
  residentBytes: () => process.memoryUsage.rss(),
  log,
});
runProgramsBy((wish) => launcher.run(wish));
try {
  process.stdout.write(JSON.stringify(await main(switchSpecSchema.parse(JSON.parse(process.argv[2] ?? '')))));
} catch (error) {
  process.stderr.write(`bench-switch: ${messageOf(error)}\n`);
  process.exitCode = 1;
} finally {
  launcher.close();
}
