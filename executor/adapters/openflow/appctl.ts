import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../program.ts';

/**
 * What the ovs-vswitchd of this host answers to a command of its control socket.
 * @throws PatchpanelError `external` with its words, `deadline`; ENOENT when it is not there
 */
export async function askSwitchd(
  ovsRunDir: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const pid = (await readFile(join(ovsRunDir, 'ovs-vswitchd.pid'), 'utf8')).trim();
  const socket = join(ovsRunDir, `ovs-vswitchd.${pid}.ctl`);
  return runProgram('ovs-appctl', ['--target', socket, ...command], '', timeoutMs);
}
