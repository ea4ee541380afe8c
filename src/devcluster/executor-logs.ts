import { copyFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../runtime/errors.ts';

/** The executors of one run of the cluster: more than these come only from a test that kills them in a loop. */
const keptExecutors = 50;

/**
 * Copies what the executors of an agent have written (`stdout`, `stderr` of their sandboxes) to `<host>-<executor>.…`
 * in the log directory, the newest ones, before the sandboxes are removed.
 */
export async function keepExecutorLogs(agentWorkDir: string, logDir: string, host: string): Promise<void> {
  const sandboxes = await sandboxesBelow(path.join(agentWorkDir, 'slaves'));
  for (const { executor, directory } of sandboxes.slice(-keptExecutors)) {
    for (const stream of ['stdout', 'stderr'])
      await copyIfThere(path.join(directory, stream), path.join(logDir, `${host}-${executor}.${stream}`));
  }
}

interface Sandbox {
  readonly executor: string;
  readonly directory: string;
}

/** `slaves/<agent>/frameworks/<framework>/executors/<executor>/runs/latest` */
async function sandboxesBelow(slaves: string): Promise<readonly Sandbox[]> {
  const found: Sandbox[] = [];
  for (const agent of await entries(slaves)) {
    for (const framework of await entries(path.join(slaves, agent, 'frameworks'))) {
      const executors = path.join(slaves, agent, 'frameworks', framework, 'executors');
      for (const executor of await entries(executors))
        found.push({ executor, directory: path.join(executors, executor, 'runs', 'latest') });
    }
  }
  return found;
}

async function entries(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
