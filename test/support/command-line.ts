import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ApiHarness } from './api.ts';

/** What a run of the command line gave. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of the command line; what it writes is no terminal. Kill it also when the test fails. */
export class CommandRun {
  readonly #child: ChildProcess;
  readonly result: Promise<CommandResult>;
  #stderr = '';

  constructor(program: string, args: readonly string[], options: CommandOptions = {}) {
    const { PATCHPANEL_URL: _url, ...env } = process.env;
    const child = spawn(process.execPath, [program, ...args], { env: { ...env, ...options.env } });
    this.#child = child;
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      child.emit('said');
    });
    child.stdin.on('error', () => undefined);
    if (options.input !== undefined) this.feed(options.input);
    this.result = once(child, 'close').then(([code]) => ({
      code: Number(code),
      stdout,
      stderr: this.#stderr,
    }));
  }

  /** Resolves when standard error holds these words. @throws Error when the program ends without them */
  async says(words: string): Promise<void> {
    while (!this.#stderr.includes(words)) {
      if (this.#child.exitCode !== null)
        throw new Error(`it ended without saying "${words}": ${this.#stderr}`);
      await Promise.race([once(this.#child, 'said'), this.result]);
    }
  }

  /** Writes all of its standard input. */
  feed(input: string): void {
    this.#child.stdin?.end(input);
  }

  /** Closes the reader of its standard output, as `| head` does. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Lets the API of a harness listen on a free port; the caller closes `server`. */
export async function serve(api: ApiHarness): Promise<string> {
  return api.server.listen({ host: '127.0.0.1', port: 0 });
}
