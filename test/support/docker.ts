import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type Docker from 'dockerode';
import { engineAt } from '../../src/devcluster/engine-client.ts';
import { ensureImages } from '../../src/devcluster/images.ts';
import { Ledger } from '../../src/devcluster/ledger.ts';
import { removePrivateEngine, startPrivateEngine } from '../../src/devcluster/private-engine.ts';
import { uniqueClusterName } from './machine.ts';

/** A Docker Engine of the test's own, with the busybox image. */
export interface TestEngine {
  readonly docker: Docker;
  readonly socket: string;
  /** Ends it with everything that it runs. */
  stop(): Promise<void>;
}

export async function startTestEngine(): Promise<TestEngine> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'ppx-'));
  const ledger = await Ledger.create(`ppx${uniqueClusterName()}`, directory);
  const stop = async () => {
    for (const item of ledger.content.items) if (item.kind === 'engine') await removePrivateEngine(item);
    await ledger.discard();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const socket = await startPrivateEngine({
      ledger,
      directory: path.join(directory, 'engine'),
      logDir: directory,
    });
    const docker = engineAt(socket, true).client;
    await ensureImages(docker);
    return { docker, socket, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
