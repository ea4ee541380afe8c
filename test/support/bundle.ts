import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

/**
 * Bundles a TypeScript program of the repository into one file that plain Node runs, and gives its path. Packages
 * stay outside, so the file lies where they are found.
 */
export async function bundleForTest(entry: string, name = basename(entry, '.ts')): Promise<string> {
  const outfile = join('dist', 'test', `${name}-${process.pid}.mjs`);
  await mkdir(join('dist', 'test'), { recursive: true });
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    logLevel: 'error',
  });
  return outfile;
}
