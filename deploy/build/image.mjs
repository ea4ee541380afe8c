import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { create } from 'tar';
import { dist, root } from './paths.mjs';
import { isCommandPart } from './programs.mjs';

const run = promisify(execFile);

const output = path.join(dist, 'image');
const staging = path.join(output, 'root');
export const imageArchive = path.join(output, 'patchpanel.tar');
const home = 'opt/patchpanel';

/**
 * Makes dist/image/patchpanel.tar, the file system of the scheduler's image, without a registry and without Docker:
 * programs, the packages that they need, this machine's Node.js with its libraries. There is no shell in it.
 */
export async function buildImage() {
  await rm(output, { recursive: true, force: true });
  await mkdir(staging, { recursive: true });
  await copyPrograms();
  await copyPackages();
  await copyNode();
  await writeFile(await inside('etc/passwd'), 'root:x:0:0::/:\npatchpanel:x:10001:10001::/tmp:\n');
  await writeFile(await inside('etc/group'), 'root:x:0:\npatchpanel:x:10001:\n');
  await mkdir(path.join(staging, 'tmp'), { mode: 0o1777 });
  await create({ cwd: staging, file: imageArchive, portable: true, mtime: new Date(0) }, ['.']);
  await rm(staging, { recursive: true });
  return `${path.relative(root, imageArchive)}; node deploy/image/import.mjs gives it to Docker`;
}

/**
 * The name of the image and the instructions of its Dockerfile's last stage that `docker import` knows.
 */
export async function imageRecipe() {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const text = await readFile(path.join(root, 'deploy/image/Dockerfile'), 'utf8');
  const lastStage = text.slice(text.lastIndexOf('\nFROM '));
  const changes = lastStage
    .split('\n')
    .filter((line) => /^(CMD|ENTRYPOINT|ENV|EXPOSE|LABEL|STOPSIGNAL|USER|VOLUME|WORKDIR) /.test(line));
  return {
    repository: 'patchpanel/patchpanel',
    tag: version,
    changes: [...changes, `ENV PATH=/usr/local/bin`],
  };
}

async function copyPrograms() {
  const manifest = 'executor/manifest.json';
  const { file } = JSON.parse(await readFile(path.join(dist, manifest), 'utf8'));
  const parts = (await readdir(dist)).filter(isCommandPart);
  for (const name of ['scheduler.js', 'patchpanel.js', ...parts, manifest, `executor/${file}`]) {
    await cp(path.join(dist, name), await inside(`${home}/dist/${name}`));
  }
  await cp(path.join(root, 'package.json'), await inside(`${home}/package.json`));
}

/** What only people and compilers read, and native parts for other machines. */
const unneeded = /\.(d\.[cm]?ts|map|md|markdown|flow|c|cc|h|cpp)$|\/(test|tests|docs|example|examples|deps)$/;
const foreign = new RegExp(`/prebuilds/(?!${process.platform}-${process.arch}(/|$))[^/]`);

async function copyPackages() {
  const { stdout } = await run('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root });
  // The first line is this project itself.
  for (const folder of stdout.trim().split('\n').slice(1)) {
    const modules = path.join(folder, 'node_modules');
    await cp(folder, await inside(`${home}/${path.relative(root, folder)}`), {
      recursive: true,
      filter: (source) => source !== modules && !unneeded.test(source) && !foreign.test(source),
    });
  }
}

/** The program and what its dynamic linker will look for, at the places where it looks. */
async function copyNode() {
  await cp(await realpath(process.execPath), await inside('usr/local/bin/node'));
  const { stdout } = await run('ldd', [process.execPath]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file]) => file);
  for (const file of libraries) await cp(await realpath(file), await inside(file));
}

/** The path in the image's file system; its folder is made. */
async function inside(name) {
  const file = path.join(staging, name);
  await mkdir(path.dirname(file), { recursive: true });
  return file;
}
