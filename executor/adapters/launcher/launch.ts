import { spawn } from 'node:child_process';
import { messageOf } from '../../../src/runtime/errors.ts';

/** More than this of each of a program's outputs is not kept. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** A program to be run to its end, without a shell. Plain data, so that another process can be asked to do it. */
export interface Launch {
  readonly file: string;
  readonly args: readonly string[];
  /** What it finds on its standard input. */
  readonly input: string;
  /** Milliseconds from its start until it is killed. */
  readonly timeoutMs: number;
}

/** What became of it. Plain data. */
export type LaunchOutcome =
  | {
      readonly kind: 'ended';
      readonly exitCode: number;
      readonly stdout: string;
      readonly stderr: string;
    }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'late' }
  | { readonly kind: 'not-started'; readonly problem: string };

/** Runs programs to their end and never rejects; `onOutput` is called when one first writes to its standard output. */
export type Runner = (wish: Launch, onOutput?: () => void) => Promise<LaunchOutcome>;

/**
 * Runs a program as a child of this process; see Runner.
 * @param signal kills it; it is then `killed`
 */
export function launch(wish: Launch, onOutput?: () => void, signal?: AbortSignal): Promise<LaunchOutcome> {
  const outcome = new Promise<LaunchOutcome>((resolve) => start(wish, onOutput, signal, resolve));
  return outcome.catch((error: unknown) => ({
    // Some reasons are thrown, when memory is short for one.
    kind: 'not-started',
    problem: messageOf(error),
  }));
}

function start(
  { file, args, input, timeoutMs }: Launch,
  onOutput: (() => void) | undefined,
  signal: AbortSignal | undefined,
  resolve: (outcome: LaunchOutcome) => void,
): void {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  let late = false;
  const timer = setTimeout(() => (late = kill()), timeoutMs);
  signal?.addEventListener('abort', kill, { once: true });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  if (onOutput !== undefined) child.stdout.once('data', () => onOutput());
  child.on('error', (error) => {
    clearTimeout(timer);
    resolve({ kind: 'not-started', problem: messageOf(error) });
  });
  child.on('exit', (exitCode) => {
    clearTimeout(timer);
    if (exitCode !== null) return;
    // What it started may go on and hold them; of a program that was killed nothing is wanted.
    child.stdout.destroy();
    child.stderr.destroy();
  });
  child.on('close', (exitCode, by) => {
    signal?.removeEventListener('abort', kill);
    if (exitCode !== null) return resolve({ kind: 'ended', exitCode, stdout: stdout(), stderr: stderr() });
    resolve(late ? { kind: 'late' } : { kind: 'killed', signal: String(by) });
  });
  // A program that does not read its input closes the pipe; its exit code tells what there is to tell.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
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
