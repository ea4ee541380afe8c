import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { messageOf, PatchpanelError } from '../../src/runtime/errors.ts';

const manifestSchema = z.object({
  /** Name of the tarball beside the manifest; it carries the hash of the content. */
  file: z.string().regex(/^patchpanel-executor-[0-9a-f]{8,64}\.tar\.gz$/),
  sha256: z.string(),
  /** Names the build in executor ids. */
  build: z.string().regex(/^[0-9a-zA-Z]{1,32}$/),
});

/** The executor as the build made it. */
export interface ExecutorBundle {
  readonly directory: string;
  readonly file: string;
  readonly build: string;
}

/**
 * Reads the bundle's manifest.
 * @throws PatchpanelError `not-found` when the bundle was not built
 */
export async function readExecutorBundle(manifestFile: string): Promise<ExecutorBundle> {
  try {
    const { file, build } = manifestSchema.parse(JSON.parse(await readFile(manifestFile, 'utf8')));
    return { directory: dirname(manifestFile), file, build };
  } catch (cause) {
    throw new PatchpanelError(
      'not-found',
      `there is no usable executor manifest ${manifestFile} (${messageOf(cause)}): run npm run build or set --executor-manifest`,
      { cause },
    );
  }
}
