import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { sleep } from '../../src/runtime/deadline.ts';
import { afterEvent, afterRefresh, emptyEventLog, eventFindings, type EventLog } from './event-log.ts';

const reopenMs = 200;
/** Heartbeats come every 15 s. */
const silenceMs = 20_000;

/**
 * A client of the event stream that comes back after each break, to the next of the schedulers, with the id of the last
 * event that it read.
 */
export class EventConsumer {
  readonly #apiUrls: readonly string[];
  readonly #listeners = new Set<() => void>();
  #log: EventLog = emptyEventLog;
  #connected = false;
  #breaks = 0;
  #stopped = false;
  #close: () => void = () => undefined;

  constructor(apiUrls: readonly string[]) {
    this.#apiUrls = apiUrls;
    void this.#run();
  }

  /** How often it had to come back. */
  get breaks(): number {
    return this.#breaks;
  }

  /** What is wrong with what it knows. */
  findings(runningTasks: readonly string[]): readonly string[] {
    if (!this.#connected) return ['the event stream is not open'];
    return eventFindings(this.#log, runningTasks);
  }

  /** It reads the state afresh, as one does after a loss. */
  refresh(runningTasks: readonly string[]): void {
    this.#log = afterRefresh(this.#log, runningTasks);
  }

  /** Resolves when that many more events were read, or after `limitMs`. */
  more(count: number, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      let left = count;
      const done = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve();
      };
      const listener = (): void => {
        left -= 1;
        if (left <= 0) done();
      };
      const timer = setTimeout(done, limitMs);
      this.#listeners.add(listener);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#close();
  }

  async #run(): Promise<void> {
    let sentTo: string | undefined;
    for (let turn = 0; !this.#stopped; turn += 1) {
      sentTo = await this.#follow(sentTo ?? `${this.#apiUrls[turn % this.#apiUrls.length]}/v2/events`);
      if (this.#connected) this.#breaks += 1;
      this.#connected = false;
      await sleep(reopenMs);
    }
  }

  /** One stream, until it ends; where a scheduler that stands by sends us instead. */
  #follow(url: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const { lastId } = this.#log;
      const headers = {
        accept: 'text/event-stream',
        ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
      };
      const request = get(url, { headers, agent: false, timeout: silenceMs }, (response) => {
        this.#connected = response.statusCode === 200;
        this.#read(response);
        response.on('error', () => undefined);
        response.on('close', () => resolve(response.headers.location));
        if (!this.#connected) request.destroy();
      });
      this.#close = () => request.destroy();
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(undefined));
    });
  }

  /** Fields of an event, one a line, then an empty line (HTML, section 9.2.6). */
  #read(response: NodeJS.ReadableStream): void {
    let fields = new Map<string, string>();
    const lines = createInterface({ input: response });
    // A stream that breaks is taken up again by whoever sees it close.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      if (line !== '') {
        const [, name = '', value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
        fields.set(name, value);
        return;
      }
      this.#take(fields);
      fields = new Map();
    });
  }

  #take(fields: ReadonlyMap<string, string>): void {
    const [id, type, data] = [fields.get('id'), fields.get('event'), fields.get('data')];
    if (type === undefined || data === undefined) return;
    const { taskId, taskStatus } = JSON.parse(data) as { taskId?: string; taskStatus?: string };
    const task = taskId === undefined ? undefined : { id: taskId, state: taskStatus ?? '' };
    this.#log = afterEvent(this.#log, {
      type,
      ...(id === undefined ? {} : { id }),
      ...(task === undefined ? {} : { task }),
    });
    for (const listener of this.#listeners) listener();
  }
}
