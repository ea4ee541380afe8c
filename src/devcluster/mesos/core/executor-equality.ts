import type { CommandInfo, ExecutorInfo } from '../../../../proto/mesos.gen.ts';
import { bundleOf } from './bundle.ts';

/**
 * Whether Mesos takes two ExecutorInfos for the same: everything counts but labels, the shutdown grace period, the
 * order of URIs, variables and resources, and whether a URI is cached.
 */
export function sameExecutor(a: ExecutorInfo, b: ExecutorInfo): boolean {
  return canonical(a) === canonical(b);
}

/** Both infos for the message that refuses a launch. */
export function describeDifference(existing: ExecutorInfo, given: ExecutorInfo): string {
  const line = '-'.repeat(60);
  return [
    'ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.',
    line,
    'Existing ExecutorInfo:',
    print(existing),
    line,
    'ExecutorInfo:',
    print(given),
    line,
    '',
  ].join('\n');
}

/** Texts of infos that are compared again and again: the known executor's with each launch on it. */
const canonicalTexts = new WeakMap<ExecutorInfo, string>();

function canonical(info: ExecutorInfo): string {
  const known = canonicalTexts.get(info);
  if (known !== undefined) return known;
  const text = canonicalText(info);
  canonicalTexts.set(info, text);
  return text;
}

function canonicalText(info: ExecutorInfo): string {
  const { labels: _labels, shutdown_grace_period: _grace, resources = [], command, ...rest } = info;
  const roles = resources.map(({ allocation_info: allocation }) => allocation?.role ?? '').sort();
  const { scalars, ranges } = bundleOf(resources);
  return stable({
    ...rest,
    command: command === undefined ? undefined : canonicalCommand(command),
    amounts: [sorted([...scalars]), sorted([...ranges]), roles],
  });
}

function canonicalCommand(command: CommandInfo): object {
  const uris = (command.uris ?? []).map(({ cache: _cache, ...uri }) => uri);
  const variables = (command.environment?.variables ?? []).map((variable) => ({
    type: 'VALUE',
    ...variable,
  }));
  return {
    ...command,
    shell: command.shell ?? true,
    uris: sorted(uris),
    environment: sorted(variables),
  };
}

const sorted = (items: readonly unknown[]): string[] => items.map(stable).sort();

/** JSON with sorted keys; bytes as a list of numbers. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const print = (info: ExecutorInfo): string =>
  JSON.stringify(info, (_key, part: unknown) => (part instanceof Uint8Array ? [...part] : part), 2);
