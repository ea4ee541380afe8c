import { performance } from 'node:perf_hooks';
import { table } from '../../cli/output.ts';

/** What each step of the demo saw and how long it took. */
export class Report {
  readonly #rows: (readonly [string, string, string])[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** Runs a step, prints what it saw and notes its time; a step that fails ends the demo. */
  async step<T>(
    title: string,
    work: () => Promise<{ readonly saw: string; readonly result: T }>,
  ): Promise<T> {
    this.#say(`\n== ${title}`);
    const started = performance.now();
    const { saw, result } = await work();
    const seconds = `${((performance.now() - started) / 1000).toFixed(2)} s`;
    this.#say(saw);
    this.#rows.push([title, saw.split('\n').at(-1) ?? '', seconds]);
    return result;
  }

  toString(): string {
    return table(['STEP', 'SEEN', 'TIME'], this.#rows, 'no step was done');
  }
}
