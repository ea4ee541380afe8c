import { PatchpanelError } from '../../runtime/errors.ts';
import { run } from '../../runtime/process.ts';
import type { DockerEngine } from '../engine-client.ts';
import { busyboxImage } from '../images.ts';

const command = ['sleep', '100000'];

/** What a plain container without a network costs on the cluster's engine; each one is removed again. */
export class PlainContainers {
  readonly #engine: DockerEngine;

  constructor(engine: DockerEngine) {
    this.#engine = engine;
  }

  /** Milliseconds of `docker run --detach --network none`: when the program has ended the container runs. */
  async byCommand(): Promise<number> {
    const args = ['run', '--detach', '--network', 'none', busyboxImage, ...command];
    const env = { DOCKER_HOST: this.#engine.dockerHost };
    const started = performance.now();
    const id = (await run('docker', args, { env, timeoutMs: 60_000 })).trim();
    const took = performance.now() - started;
    await this.#remove(id);
    return took;
  }

  /** Milliseconds of the same two requests to the engine, create and start, without the program around them. */
  async byApi(): Promise<number> {
    const started = performance.now();
    const container = await this.#engine.client.createContainer({
      Image: busyboxImage,
      Cmd: command,
      HostConfig: { NetworkMode: 'none' },
    });
    try {
      await container.start();
      return performance.now() - started;
    } finally {
      await this.#remove(container.id);
    }
  }

  async #remove(id: string): Promise<void> {
    if (id === '') throw new PatchpanelError('external', 'docker run did not name the container');
    await this.#engine.client.getContainer(id).remove({ force: true });
  }
}
