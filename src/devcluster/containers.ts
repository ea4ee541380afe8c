import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { PatchpanelError } from '../runtime/errors.ts';
import { withDeadline } from '../runtime/deadline.ts';

export interface Executed {
  readonly exitCode: number;
  readonly output: string;
}

/** What runs inside the cluster's containers, for the demo and the tests. */
export class Containers {
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  /** Runs a program in the app container of a task. @throws PatchpanelError `not-found`, `deadline` */
  async exec(taskId: string, argv: readonly string[], timeoutMs = 10_000): Promise<Executed> {
    const container = await this.#appOf(taskId);
    const exec = await container.exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({});
    const output = new PassThrough();
    this.#docker.modem.demuxStream(stream, output, output);
    stream.on('end', () => output.end());
    const read = await withDeadline(text(output), timeoutMs, `${argv.join(' ')} in ${taskId}`);
    const { ExitCode } = await exec.inspect();
    return { exitCode: ExitCode ?? -1, output: read };
  }

  /** Whether the app container of a task runs. */
  async runs(taskId: string): Promise<boolean> {
    return (await this.#listed(taskId)).length > 0;
  }

  /** The process of a task's app container, by which its namespaces can be entered. @throws PatchpanelError `not-found` */
  async pid(taskId: string): Promise<number> {
    const container = await this.#appOf(taskId);
    return (await container.inspect()).State.Pid;
  }

  /** What `http://ip/` answers to a task within `timeoutSeconds`; undefined: nothing. */
  async get(fromTask: string, ip: string, timeoutSeconds = 5): Promise<string | undefined> {
    const argv = ['timeout', String(timeoutSeconds), 'wget', '-q', '-O', '-', `http://${ip}/`];
    const { exitCode, output } = await this.exec(fromTask, argv, (timeoutSeconds + 5) * 1000);
    return exitCode === 0 ? output : undefined;
  }

  async #appOf(taskId: string): Promise<Docker.Container> {
    const [found] = await this.#listed(taskId);
    if (found === undefined)
      throw new PatchpanelError('not-found', `task ${taskId} has no running container`);
    return this.#docker.getContainer(found.Id);
  }

  #listed(taskId: string): Promise<Docker.ContainerInfo[]> {
    const label = [`patchpanel.task=${taskId}`, 'patchpanel.role=app'];
    return this.#docker.listContainers({ filters: { label } });
  }
}
