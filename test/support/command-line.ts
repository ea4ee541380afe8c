import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { projectRoot } from '../../src/devcluster/project.ts';
import { ApiHarness } from './api.ts';

/** The program as the build makes it. */
export const builtCommandLine = path.join(projectRoot(), 'dist', 'patchpanel.js');

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

/**
 * The command line, as built, before the real API in front of the real core; each test has an API of its own, which goes
 * also when tests fail. Make it at the top of the file.
 */
export class CommandLine {
  readonly #runs: CommandRun[] = [];
  #served: { readonly api: ApiHarness; readonly url: string } | undefined;

  constructor() {
    beforeEach(async () => {
      const api = new ApiHarness();
      this.#served = { api, url: await api.server.listen({ host: '127.0.0.1', port: 0 }) };
    });
    afterEach(async () => {
      for (const run of this.#runs.splice(0)) run.kill();
      await this.#served?.api.server.close();
    });
  }

  /** The API of the present test. */
  get api(): ApiHarness {
    return this.#present.api;
  }

  /** Where it listens. */
  get url(): string {
    return this.#present.url;
  }

  /** Begins a run that asks the API; one that goes on is killed when the test ends. */
  begin(args: readonly string[], options?: CommandOptions): CommandRun {
    return this.beginElsewhere(['--url', this.url, ...args], options);
  }

  /** The same, without a word about where the API is. */
  beginElsewhere(args: readonly string[], options?: CommandOptions): CommandRun {
    const run = new CommandRun(builtCommandLine, args, options);
    this.#runs.push(run);
    return run;
  }

  /** Runs it to its end. */
  run(...args: string[]): Promise<CommandResult> {
    return this.begin(args).result;
  }

  get #present(): { readonly api: ApiHarness; readonly url: string } {
    if (this.#served === undefined) throw new Error('there is an API in tests only');
    return this.#served;
  }
}
