import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { build } from 'esbuild';
import { dist, root, target } from './paths.mjs';
import { endOfTar, gzipped, tarEntry } from './tarball.mjs';

const output = path.join(dist, 'executor');
/** Each program of the tarball with the file that it is built of. */
const programs = {
  'executor.cjs': 'executor/main.ts',
  'launcher.cjs': 'executor/adapters/launcher/launcher-main.ts',
  'probe.cjs': 'executor/adapters/probes/probe-main.ts',
  'selftest.cjs': 'executor/adapters/selftest/space-main.ts',
};
const manifestFile = path.join(output, 'manifest.json');
const folder = 'patchpanel-executor';

/**
 * Makes dist/executor: executor.cjs and the programs beside it, the tarball that the Mesos fetcher unpacks in an executor's sandbox
 * (patchpanel-executor/{node,executor.cjs,…}) and manifest.json {file, sha256, build}. The same inputs give the same
 * bytes, so the name, which carries the hash, changes only when the content does.
 */
export async function buildExecutorBundle() {
  if (!existsSync(path.join(root, 'executor/main.ts'))) return 'no executor/main.ts yet';
  await mkdir(output, { recursive: true });
  for (const [file, entry] of Object.entries(programs)) await bundleProgram(file, entry);
  const nodeHash = await nodeFingerprint();
  const inputs = sha256(...(await readPrograms()).map(({ code }) => code), nodeHash);
  const known = await readManifest();
  if (known?.inputs === inputs && existsSync(path.join(output, known.file)))
    return `${known.file}, unchanged`;
  return writeTarball(inputs, await packedNode(nodeHash));
}

async function bundleProgram(file, entry) {
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: path.join(output, file),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target,
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'eof',
    logLevel: 'warning',
    plugins: [unusedParts],
  });
}

/**
 * What libraries load but the executor never uses, replaced by an empty module: Docker over SSH, BuildKit over gRPC,
 * zod's messages in fifty languages, the table of MIME types for uploads.
 */
const unused =
  /^(ssh2|cpu-features|@grpc\/grpc-js|@grpc\/proto-loader|\.\/buildkit|\.\.\/locales\/index\.js|mime-db)$/;

const unusedParts = {
  name: 'unused-parts',
  setup(esbuild) {
    esbuild.onResolve({ filter: unused }, (request) => ({ path: request.path, namespace: 'unused' }));
    esbuild.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
  },
};

async function writeTarball(inputs, nodePart) {
  const files = (await readPrograms()).flatMap(({ file, code }) => [
    tarEntry(`${folder}/${file}`, 0o644, code.length),
    padded(code),
  ]);
  const rest = await gzipped(Buffer.concat([...files, endOfTar]));
  const partial = path.join(output, `${process.pid}.partial`);
  await pipeline(createReadStream(nodePart), createWriteStream(partial));
  await writeFile(partial, rest, { flag: 'a' });
  const digest = await hashFile(partial);
  const file = `patchpanel-executor-${digest.slice(0, 12)}.tar.gz`;
  await rename(partial, path.join(output, file));
  await writeFile(
    manifestFile,
    `${JSON.stringify({ file, sha256: digest, build: digest.slice(0, 12), inputs }, null, 2)}\n`,
  );
  await removeOthers(file);
  return file;
}

function readPrograms() {
  return Promise.all(
    Object.keys(programs).map(async (file) => ({ file, code: await readFile(path.join(output, file)) })),
  );
}

/**
 * The tarball's first part, packed once for each version of Node: compressing 95 MB takes seconds, and gzip streams
 * may be joined.
 */
async function packedNode(nodeHash) {
  const file = path.join(output, `node-${nodeHash.slice(0, 12)}.part`);
  if (existsSync(file)) return file;
  console.log('build: packing the Node runtime (once)');
  const binary = await readFile(process.execPath);
  const entry = Buffer.concat([tarEntry(`${folder}/node`, 0o755, binary.length), padded(binary)]);
  await writeFile(`${file}.${process.pid}`, await gzipped(entry));
  await rename(`${file}.${process.pid}`, file);
  return file;
}

/** Cheap stand-in for a hash of 95 MB: this very file, of this version. */
async function nodeFingerprint() {
  const { size, mtimeMs } = await stat(process.execPath);
  return sha256(`${process.execPath} ${process.version} ${process.arch} ${size} ${mtimeMs}`);
}

/** Earlier tarballs but the newest of them: a running cluster may still serve one. */
async function removeOthers(kept) {
  const names = (await readdir(output)).filter((name) => name.endsWith('.tar.gz') && name !== kept);
  const aged = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(path.join(output, name))).mtimeMs })),
  );
  const old = aged.sort((a, b) => b.at - a.at).slice(1);
  await Promise.all(old.map(({ name }) => rm(path.join(output, name), { force: true })));
}

async function readManifest() {
  try {
    return JSON.parse(await readFile(manifestFile, 'utf8'));
  } catch {
    return undefined;
  }
}

function padded(content) {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

async function hashFile(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
