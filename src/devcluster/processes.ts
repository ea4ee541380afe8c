import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { identityOf, readProc, type ProcessIdentity } from '../runtime/other-processes.ts';
import { tryRun } from '../runtime/process.ts';

/** Environment variable that every process of a cluster carries; children inherit it. */
export const clusterVariable = 'PATCHPANEL_DEV_CLUSTER';

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

/** Processes whose network namespace is the one of that name: a deleted name does not end them. */
export async function processesInNetns(name: string): Promise<readonly ProcessIdentity[]> {
  const listed = await tryRun('ip', ['netns', 'pids', name]);
  const identities = await Promise.all(
    listed.stdout.split(/\s+/).filter(Boolean).map(Number).map(identityOf),
  );
  return identities.filter((identity) => identity !== undefined);
}
