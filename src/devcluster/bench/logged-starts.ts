import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { DevCluster } from '../cluster.ts';

const milliseconds = z.number().optional();

const startLineSchema = z.object({
  taskId: z.string(),
  timings: z.object({
    imageMs: milliseconds,
    sandboxMs: milliseconds,
    createMs: milliseconds,
    attachMs: z.number(),
    convergeMs: milliseconds,
    startMs: milliseconds,
    totalMs: z.number(),
  }),
});

/** Milliseconds of the parts of one task's start, as its executor measured and logged them. */
export type StartTimings = z.infer<typeof startLineSchema>['timings'];

/** The starts that the executors of the cluster have logged so far, by task id. */
export async function loggedStarts(cluster: DevCluster): Promise<ReadonlyMap<string, StartTimings>> {
  const root = cluster.substrate.directories.hosts;
  const starts = new Map<string, StartTimings>();
  for (const file of await readdir(root, { recursive: true })) {
    if (!/runs\/[^/]+\/stderr$/.test(file) || file.includes('/latest/')) continue;
    for (const line of (await readFile(path.join(root, file), 'utf8')).split('\n')) {
      if (!line.includes('"attachMs"') || !line.includes('TASK_RUNNING')) continue;
      const { taskId, timings } = startLineSchema.parse(JSON.parse(line));
      starts.set(taskId, timings);
    }
  }
  return starts;
}
