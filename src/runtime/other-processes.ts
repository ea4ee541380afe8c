import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { sleep } from './deadline.ts';
import { codeOf, PatchpanelError } from './errors.ts';

/** A process id alone may be given to another process later: with the start time and the boot it names one for ever. */
export const processIdentitySchema = z.object({
  pid: z.int().positive(),
  /** Clock ticks since boot, field 22 of /proc/PID/stat. */
  startTime: z.string(),
  bootId: z.string(),
});

export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** Text of a file in /proc, `42/cmdline`; undefined when the process is gone or hidden. */
export async function readProc(file: string): Promise<string | undefined> {
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
