import path from 'node:path';
import { z } from 'zod';
import { run } from '../../runtime/process.ts';
import { projectRoot } from '../project.ts';

/** Requests one after another over one connection; `{i}` in path and body is the number of the request. */
export const probeSpecSchema = z.object({
  url: z.string(),
  method: z.enum(['GET', 'POST', 'PUT']),
  path: z.string(),
  body: z.unknown().optional(),
  count: z.number(),
  /** Number of the first request. */
  first: z.number().default(0),
});

type ProbeSpec = z.input<typeof probeSpecSchema>;

const answerSchema = z.object({ total: z.array(z.number()), firstByte: z.array(z.number()) });
const timeoutMs = 300_000;

/** Milliseconds of each request: until its answer is complete, and until its first byte. */
export type ProbeAnswer = z.infer<typeof answerSchema>;

/**
 * Times requests, measured by a process that does nothing else: this one is busy with being Mesos.
 * @throws PatchpanelError `external` when a request is not answered with success
 */
export async function probe(spec: ProbeSpec): Promise<ProbeAnswer> {
  return answerSchema.parse(await measured('bench-probe.js', spec));
}

/** Event streams that are read while an app is put, until its deployment has succeeded. */
export const streamsSpecSchema = z.object({
  url: z.string(),
  clients: z.number(),
  path: z.string(),
  body: z.unknown(),
});

const followedSchema = z.object({
  tookMs: z.number(),
  eventsOfOne: z.number(),
  bytesOfOne: z.number(),
  spreadMs: z.number(),
});

/**
 * How the streams kept up: from the PUT until every client has the last event, what one of them got, and how long
 * after the first the last one got it.
 * @throws PatchpanelError `external` when a stream breaks off
 */
export async function followDeployment(
  spec: z.input<typeof streamsSpecSchema>,
): Promise<z.infer<typeof followedSchema>> {
  return followedSchema.parse(await measured('bench-streams.js', spec));
}

async function measured(program: string, spec: unknown): Promise<unknown> {
  const file = path.join(projectRoot(), 'dist', program);
  return JSON.parse(await run(process.execPath, [file, JSON.stringify(spec)], { timeoutMs }));
}
