import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { codeOf, PatchpanelError } from '../runtime/errors.ts';
import { sleep } from '../runtime/deadline.ts';

/** A process id alone may be given to another process later: with the start time and the boot it names one for ever. */
export const processIdentitySchema = z.object({
  pid: z.int().positive(),
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  startTime: z.string(),
  bootId: z.string(),
});

export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** Environment variable that every process of a cluster carries; children inherit it. */
export const clusterVariable = 'PATCHPANEL_DEV_CLUSTER';

/** Text of a file in /proc, undefined when the process is gone or hidden. */
async function readProc(file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${file}`, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined;
    throw error;
  }
}

/** The fields of /proc/PID/stat after the command's name, which may itself hold blanks and brackets. */
async function statFields(pid: number): Promise<readonly string[] | undefined> {
  const text = await readProc(`${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Undefined when there is no such process (a zombie counts as gone). */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const fields = await statFields(pid);
  const startTime = fields?.[19];
  if (fields === undefined || startTime === undefined || fields[0] === 'Z') return undefined;
  const bootId = (await readProc('sys/kernel/random/boot_id'))?.trim() ?? '';
  return { pid, startTime, bootId };
}

/** Whether exactly this process, not a later one with its number, still runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identityOf(identity.pid);
  return now?.startTime === identity.startTime && now.bootId === identity.bootId;
}

async function allPids(): Promise<readonly number[]> {
  const entries = await readdir('/proc');
  return entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
}

async function pidsWhere(test: (pid: number) => Promise<boolean>): Promise<readonly ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const pid of await allPids()) {
    if (pid === process.pid || !(await test(pid))) continue;
    const identity = await identityOf(pid);
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

/** Every process but this one that carries the cluster's variable. */
export function processesOfCluster(name: string): Promise<readonly ProcessIdentity[]> {
  const wanted = `${clusterVariable}=${name}`;
  return pidsWhere(async (pid) => (await readProc(`${pid}/environ`))?.split('\0').includes(wanted) ?? false);
}

/** Processes that run in a control group whose path holds one of these words (container ids). */
export function processesInCgroups(words: readonly string[]): Promise<readonly ProcessIdentity[]> {
  if (words.length === 0) return Promise.resolve([]);
  return pidsWhere(async (pid) => {
    const groups = await readProc(`${pid}/cgroup`);
    return groups !== undefined && words.some((word) => groups.includes(word));
  });
}

/** Processes of a program (its name begins so) that have this text, a directory of ours, in their command line. */
export function processesNaming(program: string, text: string): Promise<readonly ProcessIdentity[]> {
  return pidsWhere(async (pid) => {
    const words = (await readProc(`${pid}/cmdline`))?.split('\0') ?? [];
    return path.basename(words[0] ?? '').startsWith(program) && words.some((word) => word.includes(text));
  });
}

/** Sends a signal to exactly this process; false when it is gone. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/**
 * SIGTERM, `graceMs` to end, then SIGKILL; resolves when all are gone. For processes that are not our children, so
 * /proc is watched.
 * @throws PatchpanelError `deadline` when one survives SIGKILL for 10 s
 */
export async function endProcesses(processes: readonly ProcessIdentity[], graceMs: number): Promise<void> {
  if (graceMs > 0) {
    for (const each of processes) await signalProcess(each, 'SIGTERM');
    if (await goneWithin(processes, graceMs)) return;
  }
  for (const each of processes) await signalProcess(each, 'SIGKILL');
  if (await goneWithin(processes, 10_000)) return;
  throw new PatchpanelError(
    'deadline',
    `process ${processes.map((each) => each.pid).join(', ')} does not end`,
  );
}

async function goneWithin(processes: readonly ProcessIdentity[], timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const alive = await Promise.all(processes.map(isAlive));
    if (!alive.includes(true)) return true;
    if (performance.now() > end) return false;
    await sleep(20);
  }
}
