import type Docker from 'dockerode';
import { z } from 'zod';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { addPullRecord, pullText, type PullProgress } from '../../core/tasks/pull-progress.ts';
import type { RegistryCredentials } from '../../core/tasks/registry-auth.ts';
import { dockerError, dockerWords } from './connection.ts';
import { jsonLines } from './json-lines.ts';
import { closeOnAbort } from './open-stream.ts';

/** A pull in which nothing moves for so long is given up, in milliseconds. */
const stallMs = 180_000;

const recordSchema = z.object({
  id: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).optional(),
});

/** Pulls an image to its end; see Containers.pull. */
export async function pullImage(
  docker: Docker,
  image: string,
  credentials: RegistryCredentials | undefined,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(), stallMs);
  const limit = AbortSignal.any([signal, stall.signal]);
  try {
    const stream = closeOnAbort(
      await docker.pull(image, { abortSignal: limit, ...authconfigOf(credentials) }),
      limit,
    );
    let progress: PullProgress = new Map();
    for await (const line of jsonLines(stream)) {
      timer.refresh();
      const record = recordSchema.safeParse(line).data;
      if (record?.error !== undefined)
        throw new PatchpanelError('not-found', `image ${image}: ${record.error}`);
      progress = addPullRecord(progress, record ?? {});
      onProgress(pullText(image, progress));
    }
    limit.throwIfAborted();
  } catch (error) {
    throw pullError(image, error, signal, stall.signal);
  } finally {
    clearTimeout(timer);
  }
}

const authconfigOf = (credentials: RegistryCredentials | undefined): { authconfig?: RegistryCredentials } =>
  credentials === undefined ? {} : { authconfig: credentials };

function pullError(image: string, error: unknown, signal: AbortSignal, stall: AbortSignal): PatchpanelError {
  if (signal.aborted) return new PatchpanelError('aborted', `image ${image}: the pull was cancelled`);
  if (stall.aborted) {
    return new PatchpanelError(
      'deadline',
      `image ${image}: the pull made no progress for ${stallMs / 1000} s`,
    );
  }
  if (error instanceof PatchpanelError) return error;
  const { code } = dockerError('', error);
  return new PatchpanelError(
    code === 'external' ? 'not-found' : code,
    `image ${image}: ${dockerWords(error)}`,
    {
      cause: error,
    },
  );
}
