import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import { withDeadline } from '../../../src/runtime/deadline.ts';
import { codeOf } from '../../../src/runtime/errors.ts';

/** How a command in a container ended. */
export interface CommandEnd {
  readonly exitCode: number;
  /** The beginning of what it wrote. */
  readonly output: string;
}

/** More of a command's output is not kept. */
const outputLimit = 400;
/** What Docker may take beyond the command's own time, in milliseconds. */
const answerLimitMs = 15_000;

/**
 * Runs a command in a running container as the container's user, with its environment. One that takes longer than
 * `timeoutMs` is killed. `onStarted` is called when it runs.
 */
export async function runCommand(
  docker: Docker,
  container: string,
  argv: readonly string[],
  timeoutMs: number,
  onStarted?: () => void,
): Promise<CommandEnd | 'timeout'> {
  const abortSignal = AbortSignal.timeout(timeoutMs + answerLimitMs);
  const created = docker
    .getContainer(container)
    .exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true, abortSignal });
  const exec = await withDeadline(created, answerLimitMs, 'docker exec');
  const started = exec.start({ hijack: true, abortSignal });
  const stream = await withDeadline(started, answerLimitMs, 'docker exec');
  onStarted?.();
  try {
    const output = await withDeadline(drain(docker, stream), timeoutMs, 'the command');
    const { ExitCode: exitCode } = await exec.inspect({ abortSignal });
    return { exitCode: exitCode ?? 0, output };
  } catch (error) {
    if (codeOf(error) !== 'deadline') throw error;
    const { Running: running, Pid: pid } = await exec.inspect({ abortSignal });
    if (running) await kill(pid, argv);
    return 'timeout';
  } finally {
    stream.destroy();
  }
}

/** Everything that the command writes until it ends, cut. */
function drain(docker: Docker, stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const sink = new PassThrough();
    sink.on('data', (chunk: Buffer) => {
      if (text.length < outputLimit) text += chunk.toString('utf8');
    });
    docker.modem.demuxStream(stream, sink, sink);
    stream.on('end', () => resolve(text.slice(0, outputLimit).trim()));
    stream.on('error', reject);
  });
}

/** Docker has no request for it. The number is of Docker's host; a process there that is another one is left alone. */
async function kill(pid: number, argv: readonly string[]): Promise<void> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (pid <= 1 || commandLine !== `${argv.join('\0')}\0`) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}
