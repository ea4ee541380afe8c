import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { create } from 'tar';
import type { HostFiles } from '../../executor/adapters/files/host-files.ts';
import { taskId } from '../../src/model/ids.ts';
import type { FetchItem } from '../../src/model/task-spec.ts';
import { run } from '../../src/runtime/process.ts';
import { filesIn } from '../support/executor-tasks.ts';
import { listeningUrl } from '../support/machine.ts';

const task = taskId('web.1');
let directory: string;
let files: HostFiles;
let server: Server;
let url: string;
/** What the server has, how often it was asked, and how often it fails before it answers. */
let content: Map<string, Buffer>;
let requests: string[];
let failures: number;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'pp-files-'));
  files = filesIn(directory);
  content = new Map();
  requests = [];
  failures = 0;
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const found = content.get(request.url ?? '');
    if (failures > 0) {
      failures -= 1;
      response.writeHead(503).end();
    } else if (found === undefined) response.writeHead(404).end();
    else response.end(found);
  });
  url = await listeningUrl(server);
  await files.prepare(task, []);
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

const item = (uri: string, fields: Partial<FetchItem> = {}): FetchItem => ({
  uri,
  extract: true,
  executable: false,
  cache: false,
  ...fields,
});

const fetch = (items: readonly FetchItem[], told: string[] = []) =>
  files.fetch(task, items, (text) => void told.push(text), new AbortController().signal);

const inSandbox = (name: string) => readFile(path.join(files.sandboxOf(task), name), 'utf8');

/** An archive of these files. */
async function tarOf(entries: Record<string, string>, gzip: boolean): Promise<Buffer> {
  const from = await mkdtemp(path.join(directory, 'from-'));
  for (const [name, text] of Object.entries(entries)) {
    await mkdir(path.dirname(path.join(from, name)), { recursive: true });
    await writeFile(path.join(from, name), text);
  }
  const file = path.join(directory, 'made.tar');
  await create({ cwd: from, file, gzip }, await readdir(from));
  return readFile(file);
}

test('a file comes into the sandbox under its own name or the one that was asked for', async () => {
  content.set('/a/config.json?x=1', Buffer.from('{}'));
  content.set('/tool', Buffer.from('#!/bin/sh'));
  const told: string[] = [];
  await fetch(
    [item(`${url}/a/config.json?x=1`), item(`${url}/tool`, { destPath: 'bin/tool', executable: true })],
    told,
  );
  expect(await inSandbox('config.json')).toBe('{}');
  expect((await stat(path.join(files.sandboxOf(task), 'bin/tool'))).mode & 0o777).toBe(0o755);
  expect(told[0]).toBe(`fetching ${url}/a/config.json?… (1 of 2)`);
  expect(told).toContain(`fetching ${url}/tool (2 of 2): 0.0 of 0.0 MB`);
});

test('archives are unpacked and not kept, unless that is not wanted', async () => {
  content.set('/plain.tar', await tarOf({ 'plain/a': '1' }, false));
  content.set('/packed.tar.gz', await tarOf({ 'packed/b': '2' }, true));
  await fetch([
    item(`${url}/plain.tar`),
    item(`${url}/packed.tar.gz`, { destPath: 'deep/packed.tar.gz' }),
    item(`${url}/packed.tar.gz`, { extract: false, destPath: 'kept.tar.gz' }),
  ]);
  expect(await inSandbox('plain/a')).toBe('1');
  expect(await inSandbox('deep/packed/b')).toBe('2');
  expect((await readdir(files.sandboxOf(task))).toSorted()).toEqual(['deep', 'kept.tar.gz', 'plain']);
});

test.each([
  ['bzip2', '.tar.bz2'],
  ['xz', '.txz'],
])('what %s has packed is unpacked', async (program, suffix) => {
  const file = path.join(directory, 'packed.tar');
  await writeFile(file, await tarOf({ a: 'hello' }, false));
  await run(program, [file]);
  const packed = `${file}.${program === 'xz' ? 'xz' : 'bz2'}`;
  content.set(`/x${suffix}`, await readFile(packed));
  await fetch([item(`${url}/x${suffix}`)]);
  expect(await inSandbox('a')).toBe('hello');
});

/** Zip files without a program: one entry, stored. */
function zipOf(name: string, text: string, mode = 0o100_755): Buffer {
  const data = Buffer.from(text);
  const fileName = Buffer.from(name);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04_03_4b_50, 0);
  local.writeUInt16LE(20, 4);
  local.writeUInt32LE(crc32(data), 14);
  local.writeUInt32LE(data.length, 18);
  local.writeUInt32LE(data.length, 22);
  local.writeUInt16LE(fileName.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02_01_4b_50, 0);
  central.writeUInt16LE(0x03_14, 4);
  central.writeUInt16LE(20, 6);
  local.copy(central, 16, 14, 28);
  central.writeUInt32LE((mode << 16) >>> 0, 38);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06_05_4b_50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + fileName.length, 12);
  end.writeUInt32LE(local.length + fileName.length + data.length, 16);
  return Buffer.concat([local, fileName, data, central, fileName, end]);
}

/** gzip's trailer holds it. */
const crc32 = (data: Buffer): number => gzipSync(data).readUInt32LE(gzipSync(data).length - 8);

test('a zip file is unpacked with the modes of its files', async () => {
  content.set('/x.zip', zipOf('bin/run', 'echo'));
  await fetch([item(`${url}/x.zip`)]);
  expect(await inSandbox('bin/run')).toBe('echo');
  expect((await stat(path.join(files.sandboxOf(task), 'bin/run'))).mode & 0o777).toBe(0o755);
});

test.each([
  ['no archive', '/bad.tar.gz', Buffer.from('hello'), /cannot be unpacked|Unrecognized/],
  ['a cut one', '/cut.tar.bz2', Buffer.from('BZh9'), /cannot be unpacked/],
  ['no zip file', '/bad.zip', Buffer.from('hello'), /cannot be unpacked/],
  [
    'a zip file that leads out',
    '/out.zip',
    zipOf('../out', 'x'),
    /cannot be unpacked: invalid relative path/,
  ],
  ['a link in a zip file', '/link.zip', zipOf('link', '/etc', 0o120_777), /symbolic link/],
])('%s is refused', async (_what, name, bytes, problem) => {
  content.set(name, bytes);
  await expect(fetch([item(`${url}${name}`)])).rejects.toThrow(problem);
});

test('nothing is written over a symbolic link that an earlier archive left', async () => {
  const from = await mkdtemp(path.join(directory, 'from-'));
  const outside = await mkdtemp(path.join(directory, 'outside-'));
  await symlink(outside, path.join(from, 'way'));
  await create({ cwd: from, file: path.join(directory, 'link.tar') }, ['way']);
  content.set('/link.tar', await readFile(path.join(directory, 'link.tar')));
  content.set('/file', Buffer.from('x'));
  content.set('/x.zip', zipOf('way/y', 'x'));
  content.set('/x.tar', await tarOf({ 'way/z': 'x' }, false));
  await fetch([item(`${url}/link.tar`)]);
  await expect(fetch([item(`${url}/file`, { destPath: 'way/file' })])).rejects.toThrow(/no directory/);
  await expect(fetch([item(`${url}/x.zip`)])).rejects.toThrow(/no directory/);
  await fetch([item(`${url}/x.tar`)]).catch(() => undefined);
  expect(await readdir(outside)).toEqual([]);
});

test('a server that fails is asked again, one that has nothing is not', async () => {
  content.set('/a', Buffer.from('1'));
  failures = 1;
  await fetch([item(`${url}/a`)]);
  expect(requests).toEqual(['/a', '/a']);
  const asked = url.replace('http://', 'http://ann:secret@');
  await expect(fetch([item(`${asked}/b`)])).rejects.toThrow(
    `could not fetch ${url}/b: the server answered 404`,
  );
  expect(requests).toHaveLength(3);
});

test('what is too large is not taken', async () => {
  content.set('/large', Buffer.alloc(17 * 1024 * 1024));
  await expect(fetch([item(`${url}/large`)])).rejects.toThrow(/larger than 16777216 bytes/);
  content.set('/bomb.tar.gz', await tarOf({ a: 'x'.repeat(17 * 1024 * 1024) }, true));
  await expect(fetch([item(`${url}/bomb.tar.gz`)])).rejects.toThrow(/unpacks to more than/);
});

test('a cached file is asked for once, and each task has a copy of its own', async () => {
  content.set('/a.txt', Buffer.from('1'));
  const other = taskId('web.2');
  await files.prepare(other, []);
  const cached = item(`${url}/a.txt`, { cache: true });
  const signal = new AbortController().signal;
  await Promise.all([fetch([cached]), files.fetch(other, [cached], () => undefined, signal)]);
  expect(requests).toEqual(['/a.txt']);
  await writeFile(path.join(files.sandboxOf(task), 'a.txt'), 'mine');
  expect(await readFile(path.join(files.sandboxOf(other), 'a.txt'), 'utf8')).toBe('1');
});

test('the cache keeps to its size', async () => {
  for (const name of ['/a', '/b', '/c']) content.set(name, Buffer.alloc(600 * 1024));
  for (const name of ['/a', '/b', '/c']) await fetch([item(`${url}${name}`, { cache: true })]);
  const kept = createHash('sha256').update(`${url}/c`).digest('hex');
  expect(await readdir(path.join(directory, 'cache'))).toEqual([kept]);
});

test('files of the host are copied', async () => {
  await writeFile(path.join(directory, 'on host'), 'x');
  await fetch([
    item(path.join(directory, 'on host')),
    item(`file://${directory}/on%20host`, { destPath: 'y' }),
  ]);
  expect([await inSandbox('on host'), await inSandbox('y')]).toEqual(['x', 'x']);
  await expect(fetch([item('file:///nothing/here')])).rejects.toThrow(/no such file/);
});

test('secrets are files of their own, and go with the task', async () => {
  await files.prepare(task, [{ containerPath: '/s', content: Buffer.from('hunter2').toString('base64') }]);
  const secret = files.secretOf(task, 0);
  expect(await readFile(secret, 'utf8')).toBe('hunter2');
  expect((await stat(path.dirname(secret))).mode & 0o777).toBe(0o700);
  await files.remove(task);
  await expect(stat(secret)).rejects.toThrow('ENOENT');
  await expect(stat(files.sandboxOf(task))).rejects.toThrow('ENOENT');
});

test('credentials for registries come from the sandbox first, then from the host', async () => {
  content.set('/docker.tar.gz', await tarOf({ '.docker/config.json': '{"auths":{}}' }, true));
  await fetch([item(`${url}/docker.tar.gz`)]);
  await writeFile(path.join(directory, 'docker-config.json'), '{"host":true}');
  expect(await files.dockerConfigs(task)).toEqual(['{"auths":{}}', '{"host":true}']);
  await rm(path.join(files.sandboxOf(task), '.docker/config.json'));
  await symlink('/dev/zero', path.join(files.sandboxOf(task), '.docker/config.json'));
  expect(await files.dockerConfigs(task)).toEqual(['{"host":true}']);
});
