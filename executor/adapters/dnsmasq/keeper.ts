import { leaveCgroups, startApart } from '../apart.ts';

/**
 * Keeps a program running until it gets SIGTERM itself: a shell, so that nothing of ours must live for it. What the program says
 * before it serves is in `errors`; one that keeps ending is started again after up to five seconds.
 * Arguments after those of the cgroups: the directory, the program with its arguments.
 */
const script = `${leaveCgroups}
directory=$1; shift
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
export const startKeeper = ({ directory, command, cgroupExits, environment }: KeptProgram): Promise<void> =>
  startApart({
    name: 'patchpanel-keeper',
    script,
    args: [String(cgroupExits.length), ...cgroupExits, directory, ...command],
    environment,
  });
