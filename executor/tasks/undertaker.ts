import path from 'node:path';
import type { Logger } from '../../src/runtime/logger.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { sleep } from '../../src/runtime/deadline.ts';
import { messageOf } from '../../src/runtime/errors.ts';
import { leaveCgroups, startApart } from '../adapters/apart.ts';
import { connectDocker } from '../adapters/docker/connection.ts';
import { DockerContainers } from '../adapters/docker/docker-containers.ts';
import { ContainerGarbage } from './container-garbage.ts';
import { ExecutorLives } from './executor-lives.ts';
import { readHostKey } from './host-identity.ts';

/** The executor's program does this instead of serving when its first argument says so. */
export const buryCommand = 'bury';

/**
 * Waits for the end of an executor, a shell's weight of memory; one that left nothing has taken its file along. What
 * another one left is removed after a while in which the next one may come, which does it better and removes the file.
 * Arguments after those of the cgroups: the executor's file, the seconds, a file for the last words, the program with
 * its arguments.
 */
const script = `${leaveCgroups}
life=$1; seconds=$2; words=$3; shift 3
flock --shared "$life" true || exit 1
[ -e "$life" ] || exit 0
sleep "$seconds"
[ -e "$life" ] || exit 0
exec "$@" >>"$words" 2>&1
`;

export interface UndertakerOptions {
  /** Of the executor: locked while it lives. */
  readonly lifeFile: string;
  readonly runId: string;
  readonly stateDir: string;
  readonly dockerHost: string;
  /** For what is said while removing. */
  readonly sandbox: string;
  /** How long the next executor of the host is waited for. */
  readonly seconds: number;
  /** See cgroupExits. */
  readonly cgroupExits: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Starts somebody who outlives this executor and removes the containers that it leaves, unless another executor of this
 * host does so. @throws PatchpanelError `external` when that cannot be started
 */
export function startUndertaker(options: UndertakerOptions): Promise<void> {
  const { lifeFile, runId, stateDir, dockerHost, sandbox, seconds, cgroupExits, environment } = options;
  const self = path.resolve(process.argv[1] ?? '');
  const program = [process.execPath, self, buryCommand, runId, stateDir, dockerHost];
  return startApart({
    name: 'patchpanel-undertaker',
    script,
    args: [
      String(cgroupExits.length),
      ...cgroupExits,
      lifeFile,
      String(seconds),
      path.join(sandbox, 'undertaker.log'),
      ...program,
    ],
    environment,
  });
}

/** Docker may be away for as long as this. */
const attempts = 60;
const pauseMs = 10_000;

/**
 * Removes the containers that a dead executor left, then its file. That another one lives is no reason to leave them: it
 * had the time to remove them and did not, since it is stuck or about to fail.
 */
export async function bury([runId = '', stateDir = '', dockerHost = '']: readonly string[], log: Logger) {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      const containers = new DockerContainers(connectDocker(dockerHost), await readHostKey(stateDir));
      await new ContainerGarbage(containers, () => false, systemClock, log).removeOf(runId);
      return await ExecutorLives.forget(stateDir, runId);
    } catch (error) {
      log.warn('what a dead executor left cannot be removed yet', { runId, error: messageOf(error) });
      await sleep(pauseMs);
    }
  }
}
