import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './paths.mjs';

/** Writes proto/*.gen.ts from proto/*.proto. */
export async function generate() {
  const generator = path.join(root, 'proto/generate.mjs');
  if (!existsSync(generator)) return 'no generator, taken as they are';
  const { generate: run } = await import(pathToFileURL(generator).href);
  const written = await run();
  return `${written.length} files`;
}
