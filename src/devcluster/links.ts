import { run, tryRun } from '../runtime/process.ts';
import { PatchpanelError } from '../runtime/errors.ts';

/** Runs lines of `ip` commands in one process, in a named network namespace or in the root one; stops at the first error. */
export async function ipBatch(lines: readonly string[], netns?: string): Promise<void> {
  const where = netns === undefined ? [] : ['-n', netns];
  await run('ip', [...where, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** Names of all network namespaces that `ip netns` knows. */
export async function netnsNames(): Promise<readonly string[]> {
  const output = await run('ip', ['netns', 'list']);
  return output
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name !== '');
}

/** Removes the namespace with all that is in it; fine when there is none. */
export async function deleteNetns(name: string): Promise<void> {
  if ((await netnsNames()).includes(name)) await run('ip', ['netns', 'delete', name]);
}

/** Removes a link of the root namespace; fine when there is none (it goes with the namespace of its other end). */
export async function deleteLink(name: string): Promise<void> {
  const result = await tryRun('ip', ['link', 'delete', 'dev', name]);
  if (result.exitCode !== 0 && !result.stderr.includes('Cannot find device'))
    throw new PatchpanelError('external', `ip link delete ${name}: ${result.stderr.trim()}`);
}

export interface UnreachableRoute {
  readonly prefix: string;
  readonly protocol: number;
  readonly metric: number;
}

const routeWords = (route: UnreachableRoute): readonly string[] => [
  'unreachable',
  route.prefix,
  'proto',
  String(route.protocol),
  'metric',
  String(route.metric),
];

/** Makes a prefix answer "unreachable" from the root namespace; false when a route of this prefix and metric exists. */
export async function addUnreachable(route: UnreachableRoute): Promise<boolean> {
  const result = await tryRun('ip', ['route', 'add', ...routeWords(route)]);
  if (result.exitCode === 0) return true;
  if (result.stderr.includes('File exists')) return false;
  throw new PatchpanelError('external', `ip route add unreachable ${route.prefix}: ${result.stderr.trim()}`);
}

/** Fine when there is none; a route of somebody else (other protocol or metric) stays. */
export async function deleteUnreachable(route: UnreachableRoute): Promise<void> {
  const result = await tryRun('ip', ['route', 'delete', ...routeWords(route)]);
  if (result.exitCode !== 0 && !result.stderr.includes('No such process'))
    throw new PatchpanelError('external', `ip route delete ${route.prefix}: ${result.stderr.trim()}`);
}

/** Destinations of all IPv4 routes and addresses of the root namespace, as `ip` prints them. */
export async function usedPrefixes(): Promise<readonly string[]> {
  const routes = await run('ip', ['-4', '-o', 'route', 'show', 'table', 'all']);
  return routes
    .split('\n')
    .flatMap((line) => line.split(' ').filter((word) => /^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(word)));
}
