import { existsSync } from 'node:fs';
import { chmod, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { dist, root, target } from './paths.mjs';

const options = {
  absWorkingDir: root,
  outdir: dist,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target,
  sourcemap: 'linked',
  logLevel: 'warning',
};

/** Parts of the command line that are loaded when they are needed: dist/patchpanel-<name>-<hash>.js. */
export const isCommandPart = (file) => /^patchpanel-.*\.js$/.test(file);

/** Bundles dist/patchpanel.js, dist/scheduler.js and the processes of the dev cluster; packages stay outside. */
export async function buildPrograms() {
  const entryPoints = { scheduler: 'scheduler/main.ts', ...(await devClusterEntries()) };
  await removeOldParts();
  await Promise.all([
    build({ ...options, entryPoints }),
    build({
      ...options,
      entryPoints: { patchpanel: 'src/cli/main.ts' },
      splitting: true,
      chunkNames: 'patchpanel-[name]-[hash]',
    }),
  ]);
  await chmod(path.join(dist, 'patchpanel.js'), 0o755);
  return ['patchpanel', ...Object.keys(entryPoints)].map((name) => `${name}.js`).join(', ');
}

async function removeOldParts() {
  if (!existsSync(dist)) return;
  const parts = (await readdir(dist)).filter((file) => isCommandPart(file.replace(/\.map$/, '')));
  await Promise.all(parts.map((part) => rm(path.join(dist, part))));
}

/** Every src/devcluster/<name>-main.ts is a process of its own, built as dist/<name>.js. */
async function devClusterEntries() {
  const folder = 'src/devcluster';
  const files = (await readdir(path.join(root, folder))).filter((file) => file.endsWith('-main.ts'));
  return Object.fromEntries(files.map((file) => [file.slice(0, -'-main.ts'.length), `${folder}/${file}`]));
}
