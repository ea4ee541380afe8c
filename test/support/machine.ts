import type { Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import { run } from '../../src/runtime/process.ts';

/** What a test may leave behind by mistake. Compare a picture from before with one from after. */
export interface MachinePicture {
  readonly netns: readonly string[];
  readonly links: readonly string[];
  readonly routes: readonly string[];
  readonly mounts: readonly string[];
}

/**
 * The namespaces, root links, routes and mounts that mention one of the words: other tests may make and remove theirs
 * at the same time.
 */
export async function pictureOf(words: readonly string[]): Promise<MachinePicture> {
  const lines = (text: string) =>
    text.split('\n').filter((line) => words.some((word) => line.includes(word)));
  return {
    netns: lines(await run('ip', ['netns', 'list'])),
    links: lines(await run('ip', ['-br', 'link'])),
    routes: lines(await run('ip', ['route', 'show'])),
    mounts: lines(await readFile('/proc/self/mountinfo', 'utf8')),
  };
}

export const emptyPicture: MachinePicture = { netns: [], links: [], routes: [], mounts: [] };

let counter = 0;

/** A name for a cluster that nobody else on this machine uses: `t` and a few digits. */
export function uniqueClusterName(): string {
  counter += 1;
  return `t${(process.pid % 46_656).toString(36)}${counter.toString(36)}`;
}

/** Lets a server listen on a free port of the loopback address and gives its URL. */
export async function listeningUrl(server: Server): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}
