import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PatchpanelError, codeOf } from '../../src/runtime/errors.ts';
import { tryRun } from '../../src/runtime/process.ts';

/**
 * The identity of this host among others that may share a Docker Engine or a switch. It is made once and kept in the
 * state directory, so that the next executor recognises what this one leaves.
 */
export async function readHostKey(stateDir: string): Promise<string> {
  const file = path.join(stateDir, 'host-key');
  const known = await readIfThere(file);
  if (known !== undefined && known !== '') return known;
  const key = randomUUID();
  await mkdir(stateDir, { recursive: true });
  await writeFile(`${file}.new`, `${key}\n`);
  await rename(`${file}.new`, file);
  return key;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The address by which other hosts reach this one: the source address of the default route, else of the route to the
 * agent, which may go by a name.
 * @throws PatchpanelError `invalid` when there is none but loopback: it must be configured
 */
export async function discoverUnderlayIp(agentAddress: string): Promise<string> {
  for (const destination of ['192.0.2.1', agentAddress]) {
    const address = await sourceAddress(destination);
    if (address !== undefined && !address.startsWith('127.')) return address;
  }
  throw new PatchpanelError(
    'invalid',
    'no address of this host is known that others could reach: set PATCHPANEL_UNDERLAY_IP',
  );
}

async function sourceAddress(destination: string): Promise<string | undefined> {
  const found = await lookup(destination, { family: 4 }).catch(() => undefined);
  if (found === undefined) return undefined;
  const { exitCode, stdout } = await tryRun('ip', ['-json', '-4', 'route', 'get', found.address]);
  if (exitCode !== 0) return undefined;
  const [route] = JSON.parse(stdout) as { prefsrc?: string }[];
  return route?.prefsrc;
}
