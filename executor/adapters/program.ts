import { spawn } from 'node:child_process';
import { PatchpanelError } from '../../src/runtime/errors.ts';

/** More than this of a program's output is not kept. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end without a shell, with `input` on its standard input, and gives what it said, whatever its
 * exit code is. For the hot path of an attach, which is three small programs long: the general runner in src/runtime
 * costs some 3 ms more for each.
 * @throws PatchpanelError `external` when it does not start or dies by a signal, `deadline` after timeoutMs (it is
 * killed then)
 */
export function tryProgram(
  file: string,
  args: readonly string[],
  input: string,
  timeoutMs: number,
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    const started = performance.now();
    const failure = (why: string, cause?: unknown) =>
      new PatchpanelError('external', `${file} ${args.join(' ')}: ${why}`, { cause });
    child.on('error', (error) => reject(failure(`did not start: ${error.message}`, error)));
    child.on('close', (exitCode, signal) => {
      if (exitCode !== null) return resolve({ exitCode, stdout: stdout(), stderr: stderr() });
      const late = performance.now() - started >= timeoutMs;
      if (!late) return reject(failure(`was ended by ${signal}`));
      reject(new PatchpanelError('deadline', `${file} ${args.join(' ')} took longer than ${timeoutMs} ms`));
    });
    // A program that does not read its input closes the pipe; its exit code tells what there is to tell.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/**
 * Like tryProgram, and gives the standard output.
 * @throws PatchpanelError `external` with the program's own words also when the exit code is not 0
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  input: string,
  timeoutMs: number,
): Promise<string> {
  const { exitCode, stdout, stderr } = await tryProgram(file, args, input, timeoutMs);
  if (exitCode === 0) return stdout;
  const words = stderr.trim() || stdout.trim();
  throw new PatchpanelError('external', `${file} ${args.join(' ')} ended with ${exitCode}: ${words}`, {
    context: { exitCode },
  });
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_OUTPUT_BYTES) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
