import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sleep } from '../runtime/deadline.ts';
import { codeOf, PatchpanelError } from '../runtime/errors.ts';
import { run, tryRun } from '../runtime/process.ts';
import { endedEarly, startDaemon } from './daemon.ts';
import { answers, engineAt, removeContainers } from './engine-client.ts';
import type { Ledger, LedgerItem } from './ledger.ts';
import { endProcesses } from '../runtime/other-processes.ts';
import { processesInCgroups, processesNaming } from './processes.ts';

const startTimeoutMs = 60_000;
/** dockerd ends its containers and containerd within this, or is killed. */
const stopTimeoutMs = 20_000;

export interface PrivateEngineOptions {
  readonly ledger: Ledger;
  /** Images and containers of the engine; removed with it. */
  readonly directory: string;
  readonly logDir: string;
}

/** The part of a ledger that describes an engine of ours. */
export type EngineItem = Extract<LedgerItem, { kind: 'engine' }>;

/**
 * Starts a Docker Engine that touches nothing of the machine's: own data, sockets and containerd, no bridge, no
 * firewall rules. Gives the path of its socket as soon as it answers.
 * @throws PatchpanelError `external` when it ends or does not answer within a minute
 */
export async function startPrivateEngine(options: PrivateEngineOptions): Promise<string> {
  const { directory, ledger, logDir } = options;
  const item: EngineItem = {
    kind: 'engine',
    socket: path.join(directory, 'docker.sock'),
    dataRoot: path.join(directory, 'data'),
    execRoot: path.join(directory, 'exec'),
  };
  await ledger.add(item);
  await mkdir(item.dataRoot, { recursive: true });
  const daemon = await startDaemon({
    what: 'Docker Engine',
    cluster: undefined,
    file: 'dockerd',
    args: await engineArguments(item, directory),
    logFile: path.join(logDir, 'dockerd.log'),
  });
  const end = performance.now() + startTimeoutMs;
  while (!(await answers(item.socket))) {
    if (!daemon.running) throw await endedEarly(daemon);
    if (performance.now() > end)
      throw new PatchpanelError('external', `dockerd does not answer: see ${daemon.logFile}`);
    await sleep(50);
  }
  return item.socket;
}

/** The configuration file is ours too: the machine's might name its own data root. */
async function engineArguments(item: EngineItem, directory: string): Promise<readonly string[]> {
  const config = path.join(directory, 'daemon.json');
  await writeFile(config, '{}\n');
  return [
    `--config-file=${config}`,
    `--data-root=${item.dataRoot}`,
    `--exec-root=${item.execRoot}`,
    `--host=unix://${item.socket}`,
    `--pidfile=${path.join(directory, 'docker.pid')}`,
    '--bridge=none',
    '--iptables=false',
    '--ip-forward=false',
    '--ip-masq=false',
    '--userland-proxy=false',
    '--shutdown-timeout=5',
    `--storage-driver=${await storageDriver(item.dataRoot)}`,
  ];
}

/** overlay2 where the kernel can stack file systems in this directory (not inside most containers), else vfs. */
async function storageDriver(directory: string): Promise<'overlay2' | 'vfs'> {
  const probe = path.join(directory, '.overlay-probe');
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) =>
    path.join(probe, name),
  );
  if (lower === undefined || upper === undefined || work === undefined || merged === undefined) return 'vfs';
  for (const each of [lower, upper, work, merged]) await mkdir(each, { recursive: true });
  try {
    const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    const mounted = await tryRun('mount', ['-t', 'overlay', 'overlay', '-o', layers, merged]);
    if (mounted.exitCode !== 0) return 'vfs';
    await run('umount', [merged]);
    return 'overlay2';
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/**
 * Ends an engine of ours, whatever state it is in: containers, dockerd, containerd and its shims, processes of
 * containers whose shim was killed, mounts, files. Idempotent.
 */
export async function removePrivateEngine(item: EngineItem): Promise<void> {
  if (await answers(item.socket)) await removeContainers(engineAt(item.socket, true).client);
  await endProcesses(await processesNaming('dockerd', item.dataRoot), stopTimeoutMs);
  await endProcesses(await processesNaming('containerd', item.execRoot), 0);
  const containers = await containerIds(item.dataRoot);
  await endProcesses(await processesInCgroups(containers), 0);
  await removeControlGroups(containers);
  await unmountBelow(item.dataRoot);
  await unmountBelow(item.execRoot);
  await rm(path.dirname(item.dataRoot), { recursive: true, force: true });
}

/** A shim that was killed leaves its container's groups, in every hierarchy and wherever the parent group is. */
async function removeControlGroups(containers: readonly string[]): Promise<void> {
  if (containers.length === 0) return;
  const groups = await readdir('/sys/fs/cgroup', { recursive: true, withFileTypes: true });
  const theirs = groups.filter(
    (each) => each.isDirectory() && containers.some((id) => each.name.includes(id)),
  );
  for (const group of theirs) await rmdir(path.join(group.parentPath, group.name));
}

async function containerIds(dataRoot: string): Promise<readonly string[]> {
  try {
    return await readdir(path.join(dataRoot, 'containers'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Unmounts everything below a directory, the deepest and newest first. */
async function unmountBelow(directory: string): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const mounts = table
    .split('\n')
    .map((line) => (line.split(' ')[4] ?? '').replaceAll('\\040', ' '))
    .filter((point) => point === directory || point.startsWith(`${directory}/`));
  for (const point of mounts.toReversed()) await run('umount', ['--lazy', point]);
}
