import { readdir, readFile } from 'node:fs/promises';
import { codeOf } from '../../runtime/errors.ts';

/** Linux shows processor time to programs in hundredths of a second, whatever the kernel counts in. */
const msPerTick = 10;
const bytesPerPage = 4096;

/** What processes use. */
export interface Usage {
  readonly residentMib: number;
  /** Processor time since their start, in milliseconds. */
  readonly cpuMs: number;
}

/** Processor time of one process since its start, in milliseconds; 0 when it is gone. */
export async function cpuMsOf(pid: number): Promise<number> {
  return cpuMs(await statFields(String(pid)));
}

/** Of all processes of a process group. */
export async function usageOfGroup(group: number): Promise<Usage> {
  let [residentMib, spentMs] = [0, 0];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = await statFields(entry);
    if (Number(fields[2]) !== group) continue;
    residentMib += (Number(fields[21]) * bytesPerPage) / 1024 ** 2;
    spentMs += cpuMs(fields);
  }
  return { residentMib, cpuMs: spentMs };
}

const cpuMs = (fields: readonly string[]): number =>
  (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * msPerTick;

/** The fields of /proc/PID/stat from the state (field 3 of proc(5)) on; none when the process is gone. */
async function statFields(pid: string): Promise<readonly string[]> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ESRCH') return [];
    throw error;
  }
}
