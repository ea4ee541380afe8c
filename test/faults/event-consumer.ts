import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { sleep } from '../../src/runtime/deadline.ts';
import { afterEvent, afterRefresh, emptyEventLog, eventFindings, type EventLog } from './event-log.ts';

const reopenMs = 200;
/** Heartbeats come every 15 s. */
const silenceMs = 20_000;

/** A client of the event stream that comes back after each break, with the id of the last event that it read. */
export class EventConsumer {
  readonly #url: string;
  #log: EventLog = emptyEventLog;
  #connected = false;
  #breaks = 0;
  #stopped = false;
  #close: () => void = () => undefined;

  constructor(apiUrl: string) {
    this.#url = `${apiUrl}/v2/events`;
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

  stop(): void {
    this.#stopped = true;
    this.#close();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#follow();
      this.#connected = false;
      this.#breaks += 1;
      await sleep(reopenMs);
    }
  }

  /** One stream, until it ends. */
  #follow(): Promise<void> {
    return new Promise((resolve) => {
      const { lastId } = this.#log;
      const headers = {
        accept: 'text/event-stream',
        ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
      };
      const request = get(this.#url, { headers, agent: false, timeout: silenceMs }, (response) => {
        this.#connected = response.statusCode === 200;
        this.#read(response);
        response.on('error', () => undefined);
        response.on('close', resolve);
        if (!this.#connected) request.destroy();
      });
      this.#close = () => request.destroy();
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve());
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
  }
}
