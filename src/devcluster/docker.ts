import { PatchpanelError } from '../runtime/errors.ts';
import { answers, engineAt, type DockerEngine } from './engine-client.ts';
import { startPrivateEngine, type PrivateEngineOptions } from './private-engine.ts';

const defaultSocket = '/var/run/docker.sock';

export interface EngineOptions extends PrivateEngineOptions {
  /** The caller's DOCKER_HOST. */
  readonly dockerHost: string | undefined;
}

/**
 * The Docker Engine that runs on the machine (at DOCKER_HOST or the usual socket), or else a private one that is in
 * the ledger.
 * @throws PatchpanelError `invalid` when DOCKER_HOST is no local socket, `unavailable` when nothing answers there,
 *   `external` when a private engine cannot be started
 */
export async function provideEngine(options: EngineOptions): Promise<DockerEngine> {
  const socket = wantedSocket(options.dockerHost);
  if (await answers(socket)) return engineAt(socket, false);
  if (options.dockerHost !== undefined)
    throw new PatchpanelError('unavailable', `no Docker Engine answers at DOCKER_HOST=${options.dockerHost}`);
  return engineAt(await startPrivateEngine(options), true);
}

function wantedSocket(dockerHost: string | undefined): string {
  if (dockerHost === undefined || dockerHost === '') return defaultSocket;
  if (dockerHost.startsWith('unix://')) return dockerHost.slice('unix://'.length);
  throw new PatchpanelError(
    'invalid',
    `DOCKER_HOST=${dockerHost}: the dev cluster needs an engine on this machine, as unix:///path`,
  );
}
