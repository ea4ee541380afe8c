import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { searchPath } from '../core/search-path.ts';

export interface ApartProgram {
  /** For `ps`. */
  readonly name: string;
  /** Of a shell, so that nothing large must live for it; it leaves the cgroups by itself. */
  readonly script: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * The beginning of a script whose first arguments are how many files of cgroups follow, and these files (see cgroupExits):
 * the shell leaves the cgroups of whoever started it.
 */
export const leaveCgroups = `
exits=$1; shift
while [ "$exits" -gt 0 ]; do echo $$ >"$1"; shift; exits=$((exits - 1)); done
cd / || exit 1
`;

/**
 * Starts a shell that is nobody's child and in no session or group of ours, so that it outlives us.
 * @throws PatchpanelError `external` when it cannot be started
 */
export async function startApart({ name, script, args, environment }: ApartProgram): Promise<void> {
  const child = spawn('setsid', ['--fork', 'sh', '-c', script, name, ...args], {
    stdio: 'ignore',
    cwd: '/',
    env: bareEnvironment(environment),
  });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === 0) return;
    throw new PatchpanelError('external', `setsid ended with ${code}`);
  } catch (cause) {
    throw new PatchpanelError('external', `cannot start ${name} apart from this process`, { cause });
  }
}

/** Ours may hold secrets of the agent's. */
function bareEnvironment(given: ApartProgram['environment']): Record<string, string> {
  const own = Object.entries(given).filter(([name]) => name.startsWith('PATCHPANEL_DEV_'));
  return {
    ...(Object.fromEntries(own) as Record<string, string>),
    PATH: searchPath(given['PATH']),
  };
}
