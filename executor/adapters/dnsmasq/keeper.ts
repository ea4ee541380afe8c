import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { searchPath } from '../../core/search-path.ts';

/**
 * Keeps a program running until it gets SIGTERM itself: a shell, so that nothing of ours must live for it. What the program says
 * before it serves is in `errors`; one that keeps ending is started again after up to five seconds.
 * Arguments: the directory, how many cgroup files follow, these files, the program with its arguments.
 */
const script = `
directory=$1; exits=$2; shift 2
while [ "$exits" -gt 0 ]; do echo $$ >"$1"; shift; exits=$((exits - 1)); done
cd / || exit 1
echo $$ >"$directory/keeper"
child=
trap 'kill $child 2>/dev/null; wait; exit 0' TERM INT HUP
pause=0
while :; do
  began=$(date +%s)
  "$@" 2>"$directory/errors" & child=$!
  wait $child
  if [ $(($(date +%s) - began)) -ge 10 ]; then pause=0; fi
  sleep $pause & child=$!
  wait $child
  pause=$((pause + 1)); if [ $pause -gt 5 ]; then pause=5; fi
done
`;

export interface KeptProgram {
  /** Directory for the numbers of the processes and the program's last words. */
  readonly directory: string;
  readonly command: readonly string[];
  /** See cgroupExits. */
  readonly cgroupExits: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts a keeper that is nobody's child and in no session, group or cgroup of ours, so that it outlives us.
 * @throws PatchpanelError `external` when it cannot be started
 */
export async function startKeeper({
  directory,
  command,
  cgroupExits,
  environment,
}: KeptProgram): Promise<void> {
  const args = [directory, String(cgroupExits.length), ...cgroupExits, ...command];
  const child = spawn('setsid', ['--fork', 'sh', '-c', script, 'patchpanel-keeper', ...args], {
    stdio: 'ignore',
    cwd: '/',
    env: keptEnvironment(environment),
  });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === 0) return;
    throw new PatchpanelError('external', `setsid ended with ${code}`);
  } catch (cause) {
    throw new PatchpanelError('external', `cannot start ${command[0] ?? ''} apart from this process`, {
      cause,
    });
  }
}

/** Ours may hold secrets of the agent's. */
function keptEnvironment(given: KeptProgram['environment']): Record<string, string> {
  const own = Object.entries(given).filter(([name]) => name.startsWith('PATCHPANEL_DEV_'));
  return {
    ...(Object.fromEntries(own) as Record<string, string>),
    PATH: searchPath(given['PATH']),
  };
}
