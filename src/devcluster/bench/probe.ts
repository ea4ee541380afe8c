import path from 'node:path';
import { z } from 'zod';
import { run } from '../../runtime/process.ts';
import { projectRoot } from '../project.ts';

/** Requests one after another over one connection; `{i}` in path and body is the number of the request. */
export const probeSpecSchema = z.object({
  url: z.string(),
  method: z.enum(['GET', 'POST']),
  path: z.string(),
  body: z.unknown().optional(),
  count: z.number(),
  /** Number of the first request. */
  first: z.number().default(0),
});

type ProbeSpec = z.input<typeof probeSpecSchema>;

const answerSchema = z.array(z.number());
const timeoutMs = 300_000;

/**
 * Milliseconds of each request until its answer is complete, measured by a process that does nothing else: this
 * one is busy with being Mesos.
 * @throws PatchpanelError `external` when a request is not answered with success
 */
export async function probe(spec: ProbeSpec): Promise<readonly number[]> {
  const program = path.join(projectRoot(), 'dist', 'bench-probe.js');
  return answerSchema.parse(
    JSON.parse(await run(process.execPath, [program, JSON.stringify(spec)], { timeoutMs })),
  );
}
