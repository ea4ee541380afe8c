import { execa } from 'execa';
import { PatchpanelError } from './errors.ts';

export interface RunOptions {
  /** Text for the program's standard input. */
  readonly input?: string;
  /** Milliseconds until the program is killed; 10 s unless told. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Run inside this named network namespace (`ip netns`). */
  readonly netns?: string;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end without a shell and gives its exit code and output, whatever the code is. */
export async function tryRun(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const [command, argv] =
    options.netns === undefined ? [file, [...args]] : ['ip', ['netns', 'exec', options.netns, file, ...args]];
  const result = await execa(command, argv, {
    reject: false,
    timeout: options.timeoutMs ?? 10_000,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  if (result.exitCode === undefined) {
    const reason = result.timedOut ? 'timed out' : (result.shortMessage ?? 'did not start');
    throw new PatchpanelError(
      result.timedOut ? 'deadline' : 'external',
      `${file} ${args.join(' ')}: ${reason}`,
      {
        cause: result.cause,
      },
    );
  }
  return {
    exitCode: result.exitCode,
    stdout: result.stdout,
    stderr: result.stderr,
  };
}

/** Like tryRun, but a non-zero exit is an error with code `external` that carries the program's own words. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await tryRun(file, args, options);
  if (result.exitCode !== 0) {
    throw new PatchpanelError(
      'external',
      `${file} ${args.join(' ')} ended with ${result.exitCode}: ${result.stderr.trim() || result.stdout.trim()}`,
      { context: { exitCode: result.exitCode } },
    );
  }
  return result.stdout;
}
