import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { withDeadline } from '../../../src/runtime/deadline.ts';
import { messageOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import type { SpaceAnswer, SpaceRequest } from './exchange.ts';

const START_TIMEOUT_MS = 15_000;
/** Beyond the request's own limit. */
const ANSWER_SLACK_MS = 5_000;

/** A network namespace with a program in it; both are gone after close(), and when this process ends. */
export class TestSpace {
  readonly #child: ChildProcess;
  readonly #answers: SpaceAnswer[] = [];
  #wake: (() => void) | undefined;
  #ended: string | undefined;

  /** @param program the built space-main.ts */
  constructor(node: string, program: string) {
    this.#child = spawn('unshare', ['--net', node, program], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.on('error', (error) => this.#end(messageOf(error)));
    this.#child.on('exit', (code, signal) => this.#end(`its program ended (${code ?? signal})`));
    this.#child.stdin?.on('error', () => undefined);
    if (this.#child.stdout === null) return;
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#answers.push(JSON.parse(line) as SpaceAnswer);
      this.#wake?.();
    });
  }

  /** Resolves to a process in the namespace. @throws PatchpanelError `external`, `deadline` */
  async start(): Promise<number> {
    await this.#next('the start of a namespace', START_TIMEOUT_MS);
    return this.#child.pid ?? 0;
  }

  /** Why it failed, or undefined. @throws PatchpanelError `external` when the program is gone, `deadline` */
  async ask(request: SpaceRequest): Promise<string | undefined> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const limitMs = 'timeoutMs' in request ? request.timeoutMs + ANSWER_SLACK_MS : ANSWER_SLACK_MS;
    return (await this.#next(`a ${request.kind} in a namespace`, limitMs)).problem;
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  /** The next line; requests are made one after the other. */
  async #next(what: string, limitMs: number): Promise<SpaceAnswer> {
    const line = async (): Promise<SpaceAnswer> => {
      for (;;) {
        const answer = this.#answers.shift();
        if (answer !== undefined) return answer;
        if (this.#ended !== undefined)
          throw new PatchpanelError('external', `${what} is not possible: ${this.#ended}`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    return withDeadline(line(), limitMs, what);
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#wake?.();
  }
}
