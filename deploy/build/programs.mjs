import { existsSync } from 'node:fs';
import { chmod, readdir } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { dist, root, target } from './paths.mjs';

const fixed = { patchpanel: 'src/cli/main.ts', scheduler: 'scheduler/main.ts' };

/** Bundles dist/patchpanel.js, dist/scheduler.js and the processes of the dev cluster; packages stay outside. */
export async function buildPrograms() {
  const entries = { ...fixed, ...(await devClusterEntries()) };
  const present = Object.entries(entries).filter(([, file]) => existsSync(path.join(root, file)));
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(present),
    outdir: dist,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target,
    sourcemap: 'linked',
    logLevel: 'warning',
  });
  if (existsSync(path.join(dist, 'patchpanel.js'))) await chmod(path.join(dist, 'patchpanel.js'), 0o755);
  return present.map(([name]) => `${name}.js`).join(', ');
}

/** Every src/devcluster/<name>-main.ts is a process of its own, built as dist/<name>.js. */
async function devClusterEntries() {
  const folder = 'src/devcluster';
  if (!existsSync(path.join(root, folder))) return {};
  const files = (await readdir(path.join(root, folder))).filter((file) => file.endsWith('-main.ts'));
  return Object.fromEntries(files.map((file) => [file.slice(0, -'-main.ts'.length), `${folder}/${file}`]));
}
