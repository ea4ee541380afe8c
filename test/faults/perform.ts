import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Member } from '../../src/devcluster/member.ts';
import { endedEarly, startDaemon } from '../../src/devcluster/daemon.ts';
import { answers } from '../../src/devcluster/engine-client.ts';
import { processesNaming } from '../../src/devcluster/processes.ts';
import { sleep } from '../../src/runtime/deadline.ts';
import { codeOf } from '../../src/runtime/errors.ts';
import { endProcesses } from '../../src/runtime/other-processes.ts';
import { tryRun } from '../../src/runtime/process.ts';
import axios from 'axios';
import { ClusterBench } from '../support/cluster-bench.ts';
import type { Fault, FaultKind } from './plan.ts';
import type { Relay } from './relay.ts';
import type { Scene } from './scene.ts';

/** Where a fault is to happen. */
interface Place {
  readonly scene: Scene;
  readonly bench: ClusterBench;
  readonly holdMs: number;
  /** The host, for the kinds that happen to one. */
  readonly host: () => Member;
}

type Performer = (place: Place) => Promise<void>;

const bridge = 'br-patchpanel';

/** How each kind is done. Each ends with the thing whole again, as far as a person would make it whole. */
const performers: Readonly<Record<FaultKind, Performer>> = {
  'scheduler-kill': restartLeader,
  'scheduler-kill-in-step': restartLeader,
  'scheduler-pause': pauseLeader,
  'leader-kill': restartLeader,
  'leader-pause': pauseLeader,
  'leader-isolated': async ({ scene, holdMs }) => {
    const relay = scene.relayOf(await scene.leader());
    relay?.hold();
    await sleep(holdMs);
    relay?.heal();
  },
  'leader-abdicates': async ({ scene }) => {
    const leader = await scene.leader();
    // Somebody who asks in vain asks again another time.
    await axios
      .delete(`${leader?.apiUrl}/v2/leader`, { proxy: false, timeout: 5_000 })
      .catch(() => undefined);
  },
  'zookeeper-kill': async ({ bench, holdMs }) => {
    await bench.cluster.zookeeper?.kill();
    await sleep(holdMs);
    await bench.cluster.zookeeper?.restart();
  },
  'zookeeper-pause': ({ bench, holdMs }) => pause([bench.cluster.zookeeper?.pid ?? 0], holdMs),
  'zookeeper-cut': (place) => disturbed(place, (relay) => relay.refuse()),
  'zookeeper-delay': (place) => disturbed(place, (relay) => relay.hold()),
  'scheduler-stream-cut': async ({ bench }) => {
    const { mesos } = bench.cluster;
    for (const { frameworkId } of mesos.state().frameworks) mesos.dropConnection(frameworkId);
  },
  'master-failover': ({ bench }) => bench.cluster.failover(),
  'kill-lost': async ({ bench }) => bench.cluster.mesos.lose('KILL', 1),
  'acknowledgement-lost': async ({ bench }) => bench.cluster.mesos.lose('ACKNOWLEDGE', 2),
  'launch-lost': async ({ bench }) => bench.cluster.mesos.lose('ACCEPT', 1),
  'update-twice': async ({ bench }) => bench.cluster.mesos.duplicateUpdates(3),
  'agent-restart': async ({ host, holdMs }) => {
    await host().stopAgent();
    await sleep(holdMs);
    await host().startAgent();
  },
  'agent-delay': async ({ bench, host, holdMs }) => {
    bench.cluster.mesos.cutAgent(host().agentId);
    await sleep(holdMs);
    bench.cluster.mesos.healAgent(host().agentId);
  },
  'host-cut-short': (place) => cut(place, 'management'),
  'host-cut-long': (place) => cut(place, 'management'),
  'host-isolated': (place) => cut(place, 'all'),
  'host-power': async ({ scene, host, holdMs }) => {
    await scene.withDocker(() => host().powerOff());
    await sleep(holdMs);
    await scene.withDocker(() => host().powerOn());
  },
  'executor-kill': async ({ host }) => void host().killExecutor(),
  'executor-pause': ({ host, holdMs }) => pause(host().status().executorPids, holdMs),
  'docker-restart': (place) => place.scene.withDocker(() => restartDocker(place)),
  'docker-pause': async ({ bench, holdMs }) =>
    pause(
      (await dockerProcesses(bench)).map(({ pid }) => pid),
      holdMs,
    ),
  'switch-kill': async ({ host, holdMs }) => {
    await host().host.switch.crash();
    await sleep(holdMs);
    await host().host.switch.start();
  },
  'switch-pause': async ({ host, holdMs }) => pause([await pidOf(host(), 'ovs-vswitchd')], holdMs),
  'database-kill': (place) => restartDatabase(place, false),
  'database-loss': (place) => restartDatabase(place, true),
  'app-kill': (place) => place.scene.withDocker(() => killContainer(place, 'app')),
  'sandbox-kill': (place) => place.scene.withDocker(() => killContainer(place, 'sandbox')),
  'veth-delete': async ({ bench, host }) => {
    const [line = ''] = await bench.veths(host().host.plan.name);
    const name = line.split(/[@ ]/)[0] ?? '';
    if (name !== '') await tryRun('ip', ['link', 'delete', name], { netns: host().host.plan.netns });
  },
  'foreign-flow': async ({ host }) => {
    const socket = `unix:${host().host.ovsRunDir}/${bridge}.mgmt`;
    await tryRun('ovs-ofctl', ['-O', 'OpenFlow14', 'add-flow', socket, 'priority=65535,actions=drop']);
  },
  'foreign-port': async ({ host }) => {
    const database = `--db=unix:${host().host.ovsRunDir}/db.sock`;
    const port = [
      '--may-exist',
      'add-port',
      bridge,
      'stray0',
      '--',
      'set',
      'Interface',
      'stray0',
      'type=internal',
    ];
    await tryRun('ovs-vsctl', [database, '--no-wait', '--timeout=5', ...port]);
  },
};

/** Does one fault from its beginning to its end. */
export async function perform(scene: Scene, { kind, target, holdMs }: Fault): Promise<void> {
  const bench = new ClusterBench(scene.cluster);
  await performers[kind]({ scene, bench, holdMs, host: () => bench.cluster.member(target) });
}

/** SIGKILL to who leads; it is started again after a while. */
async function restartLeader({ scene, holdMs }: Place): Promise<void> {
  const leader = await scene.leader();
  await leader?.kill();
  await sleep(holdMs);
  await leader?.start();
}

async function pauseLeader({ scene, holdMs }: Place): Promise<void> {
  await pause([(await scene.leader())?.pid ?? 0], holdMs);
}

/** Between ZooKeeper and every scheduler. */
async function disturbed({ scene, holdMs }: Place, disturb: (relay: Relay) => void): Promise<void> {
  for (const relay of scene.relays) disturb(relay);
  await sleep(holdMs);
  for (const relay of scene.relays) relay.heal();
}

async function cut({ host, holdMs }: Place, what: 'management' | 'all'): Promise<void> {
  await host().cut(what);
  await sleep(holdMs);
  await host().heal();
}

/** SIGSTOP, then SIGCONT: stuck, but not dead, so nothing breaks by itself. */
async function pause(pids: readonly number[], holdMs: number): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGSTOP');
  await sleep(holdMs);
  for (const pid of pids) signal(pid, 'SIGCONT');
}

function signal(pid: number, name: NodeJS.Signals): void {
  if (pid <= 0) return;
  try {
    process.kill(pid, name);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

const pidOf = async ({ host }: Member, daemon: string): Promise<number> =>
  Number(await readFile(path.join(host.ovsRunDir, `${daemon}.pid`), 'utf8').catch(() => '0'));

async function restartDatabase({ host, holdMs }: Place, empty: boolean): Promise<void> {
  const hostSwitch = host().host.switch;
  signal(await pidOf(host(), 'ovsdb-server'), 'SIGKILL');
  for (let waited = 0; hostSwitch.running && waited < 5_000; waited += 10) await sleep(10);
  if (empty) await rm(path.join(host().host.ovsRunDir, 'conf.db'), { force: true });
  await sleep(holdMs);
  await hostSwitch.start();
}

async function killContainer({ bench, host }: Place, role: string): Promise<void> {
  const label = [`patchpanel.role=${role}`, `patchpanel.agent=${host().agentId}`];
  const [found] = await bench.cluster.substrate.engine.client.listContainers({ filters: { label } });
  if (found === undefined) return;
  try {
    await bench.cluster.substrate.engine.client.getContainer(found.Id).kill({ signal: 'SIGKILL' });
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    // It has ended, or is being removed.
    if (statusCode !== 404 && statusCode !== 409) throw error;
  }
}

const dockerProcesses = ({ cluster }: ClusterBench) =>
  processesNaming('dockerd', cluster.substrate.engine.socket);

/** By it containerd is told from its shims, which containers need. */
const containerdConfig = 'containerd/containerd.toml';

/** SIGKILL to dockerd; the next one ends the containers of the one before, as it does without live-restore. */
async function restartDocker({ bench, holdMs }: Place): Promise<void> {
  const { socket } = bench.cluster.substrate.engine;
  const processes = await dockerProcesses(bench);
  const [first] = processes;
  if (first === undefined) throw new Error('this cluster has no Docker Engine of its own');
  const [file = '', ...args] = (await readFile(`/proc/${first.pid}/cmdline`, 'utf8'))
    .split('\0')
    .slice(0, -1);
  await endProcesses(processes, 0);
  // Its containerd dies with it, a moment later: the next dockerd must not take it for one that it can use.
  await endProcesses(
    await processesNaming('containerd', path.join(path.dirname(socket), 'exec', containerdConfig)),
    0,
  );
  await sleep(holdMs);
  const logFile = path.join(bench.cluster.substrate.directories.logs, 'dockerd.log');
  // A process that nobody has waited for yet would count as running.
  const numbers = ['docker.pid', 'exec/containerd/containerd.pid'];
  for (const number of numbers) await rm(path.join(path.dirname(socket), number), { force: true });
  const daemon = await startDaemon({ what: 'Docker Engine', cluster: undefined, file, args, logFile });
  for (let waited = 0; !(await answers(socket)); waited += 100) {
    if (!daemon.running) throw await endedEarly(daemon);
    if (waited > 60_000) throw new Error('Docker does not answer after its restart');
    await sleep(100);
  }
}

/** Makes whole what a fault may have left, before the cluster is left to itself. */
export async function healAll({ cluster, relays }: Scene): Promise<void> {
  for (const relay of relays) relay.heal();
  if (cluster.zookeeper?.running === false) await cluster.zookeeper.restart();
  for (const member of cluster.members) {
    if (member.host.power === 'off') await member.powerOn();
    await member.heal();
    await member.startAgent();
    await member.host.switch.start();
  }
  for (const scheduler of cluster.schedulers.members) await scheduler.start();
}

/** What of a cluster can be broken. */
export const breakable = ({
  cluster,
}: Scene): { readonly standby: boolean; readonly ownDocker: boolean } => ({
  standby: cluster.zookeeper !== undefined,
  ownDocker: cluster.substrate.engine.own,
});

/** A line about where a cluster keeps its logs. */
export const logsOf = ({ cluster }: Scene): string => cluster.substrate.directories.logs;
