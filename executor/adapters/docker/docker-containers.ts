import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { withDeadline } from '../../../src/runtime/deadline.ts';
import { containerLabels, roleOf, type ContainerSpec } from '../../core/tasks/container-spec.ts';
import type {
  ContainerDeath,
  ContainerFacts,
  Containers,
  ListedContainer,
  OutputEntry,
} from '../../core/tasks/containers.ts';
import { slotIdFromText } from '../../../src/model/ids.ts';
import type { RegistryCredentials } from '../../core/tasks/registry-auth.ts';
import { dockerError, statusOf } from './connection.ts';
import { runCommand, type CommandEnd } from './command.ts';
import { readDeaths } from './deaths.ts';
import { Gate } from '../../../src/runtime/gate.ts';
import { readOutput } from './output.ts';
import { pauseArchive, pauseImage } from './pause-image.ts';
import { pullImage } from './pull.ts';

/** Milliseconds that Docker may take for an answer, by kind of request. */
const deadlines = { quick: 15_000, create: 60_000, start: 120_000, remove: 60_000 } as const;

/** Docker gets slower, not faster, with more of these at once. */
const startsAtOnce = 8;

/** The port to Docker over its HTTP API. Only containers that carry `hostKey` are listed and watched. */
export class DockerContainers implements Containers {
  readonly #docker: Docker;
  readonly #hostKey: string;
  readonly #starts = new Gate(startsAtOnce);

  constructor(docker: Docker, hostKey: string) {
    this.#docker = docker;
    this.#hostKey = hostKey;
  }

  async hasImage(image: string): Promise<boolean> {
    try {
      const answer = this.#docker.getImage(image).inspect();
      await withDeadline(answer, deadlines.quick, `docker image inspect ${image}`);
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw dockerError(`image ${image}`, error);
    }
  }

  pull(
    image: string,
    credentials: RegistryCredentials | undefined,
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    return pullImage(this.#docker, image, credentials, onProgress, signal);
  }

  /** Makes the image of the sandboxes unless it is there. */
  async ensurePauseImage(arch: string): Promise<void> {
    if (await this.hasImage(pauseImage.name)) return;
    await this.#try('importing the sandbox image', deadlines.create, async (abortSignal) => {
      const options = { repo: pauseImage.repository, tag: pauseImage.tag, abortSignal };
      const answer = await this.#docker.importImage(Readable.from([pauseArchive(arch)]), options);
      for await (const chunk of answer) void chunk;
    });
  }

  async create(name: string, spec: ContainerSpec): Promise<void> {
    await this.#starts.pass(() =>
      this.#try('docker create', deadlines.create, (abortSignal) =>
        // The library's types want mutable lists; it does not change them.
        this.#docker.createContainer({ name, ...spec, abortSignal } as Docker.ContainerCreateOptions),
      ),
    );
  }

  async start(name: string): Promise<void> {
    await this.#starts.pass(() =>
      this.#try('docker start', deadlines.start, (abortSignal) =>
        this.#container(name).start({ abortSignal }),
      ),
    );
  }

  async inspect(name: string): Promise<ContainerFacts | undefined> {
    const facts = await this.#unlessMissing('docker inspect', deadlines.quick, (abortSignal) =>
      this.#container(name).inspect({ abortSignal }),
    );
    if (facts === undefined) return undefined;
    const { State: state, Config: config } = facts;
    return {
      running: state.Running,
      pid: state.Pid,
      exitCode: state.ExitCode,
      oomKilled: state.OOMKilled,
      stopSignal: stopSignalOf(config),
    };
  }

  async signal(name: string, signal: string): Promise<boolean> {
    try {
      await this.#container(name).kill({ signal, abortSignal: AbortSignal.timeout(deadlines.quick) });
      return true;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 || status === 409) return false;
      throw dockerError('docker kill', error);
    }
  }

  /** Runs a command in a running container; see runCommand. */
  async run(
    name: string,
    argv: readonly string[],
    timeoutMs: number,
    onStarted?: () => void,
  ): Promise<CommandEnd | 'timeout'> {
    try {
      return await runCommand(this.#docker, name, argv, timeoutMs, onStarted);
    } catch (error) {
      throw dockerError('docker exec', error);
    }
  }

  async remove(name: string): Promise<void> {
    try {
      const abortSignal = AbortSignal.timeout(deadlines.remove);
      await this.#container(name).remove({ force: true, v: true, abortSignal });
    } catch (error) {
      const status = statusOf(error);
      const underWay = status === 409 && /already in progress/.test(String(error));
      if (status !== 404 && !underWay) throw dockerError('docker rm', error);
    }
  }

  async list(): Promise<readonly ListedContainer[]> {
    const listed = await this.#try('docker ps', deadlines.quick, (abortSignal) =>
      this.#docker.listContainers({
        all: true,
        filters: { label: [`${containerLabels.host}=${this.#hostKey}`] },
        abortSignal,
      }),
    );
    return listed.map((container) => ({
      id: container.Id,
      name: container.Names[0]?.replace(/^\//, '') ?? container.Id,
      running: container.State === 'running',
      ...ownerOf(container.Labels),
    }));
  }

  deaths(onOpen: () => void, signal: AbortSignal): AsyncIterable<ContainerDeath> {
    return readDeaths(this.#docker, this.#hostKey, onOpen, signal);
  }

  output(
    name: string,
    tty: boolean,
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncIterable<readonly OutputEntry[]> {
    return readOutput(this.#container(name), tty, after, signal);
  }

  /** The version of the engine. @throws PatchpanelError `unavailable` when Docker does not answer */
  async version(): Promise<string> {
    const { Version } = await this.#facts('docker version', this.#docker.version());
    return Version;
  }

  /** How Docker manages cgroups: `cgroupfs` or `systemd`, and the version of the hierarchy. */
  async cgroups(): Promise<{ readonly driver: string; readonly version: string }> {
    const info: unknown = await this.#facts('docker info', this.#docker.info());
    const { CgroupDriver = '', CgroupVersion = '1' } = info as Record<string, string | undefined>;
    return { driver: CgroupDriver, version: CgroupVersion };
  }

  async #facts<T>(what: string, answer: Promise<T>): Promise<T> {
    try {
      return await withDeadline(answer, deadlines.quick, what);
    } catch (error) {
      throw dockerError(what, error);
    }
  }

  #container(name: string): Docker.Container {
    return this.#docker.getContainer(name);
  }

  async #try<T>(what: string, limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await work(AbortSignal.timeout(limitMs));
    } catch (error) {
      throw dockerError(what, error);
    }
  }

  async #unlessMissing<T>(
    what: string,
    limitMs: number,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await work(AbortSignal.timeout(limitMs));
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw dockerError(what, error);
    }
  }
}

/** Whose a container is, by its labels. */
function ownerOf(labels: Readonly<Record<string, string>>) {
  const runId = labels[containerLabels.run];
  return {
    taskId: labels[containerLabels.task] ?? '',
    role: roleOf(labels[containerLabels.role]),
    endpoint: {
      slot: slotIdFromText(labels[containerLabels.slot] ?? ''),
      epoch: Number(labels[containerLabels.epoch] ?? 0),
    },
    ...(runId === undefined ? {} : { runId }),
  };
}

/** The image's or the task's own signal for a clean end; the library's types do not know the field. */
function stopSignalOf(config: object): string {
  return 'StopSignal' in config && typeof config.StopSignal === 'string' ? config.StopSignal : 'SIGTERM';
}
