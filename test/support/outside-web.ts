import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestSandbox } from './openvswitch.ts';

/** Serves files by HTTP on port 8080 of a namespace until what `onClose` was given is called. */
export async function serveFiles(
  place: TestSandbox,
  files: Readonly<Record<string, string | Uint8Array>>,
  onClose: (close: () => Promise<unknown>) => void,
): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pp-outside-'));
  onClose(() => rm(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(directory, name), content);
  const server = spawn(
    'nsenter',
    ['-t', String(place.pid), '-n', 'busybox', 'httpd', '-f', '-p', '8080', '-h', directory],
    { stdio: 'ignore' },
  );
  onClose(async () => server.kill('SIGKILL'));
}
