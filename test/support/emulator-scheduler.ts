import http from 'node:http';
import type { Framework } from '../../src/devcluster/mesos/core/master-state.ts';
import type { SchedulerCall, SchedulerEvent, TaskStatus } from '../../proto/mesos.gen.ts';
import { contentTypes, mesosCodec, type Encoding } from '../../src/mesos/codec.ts';
import { RecordDecoder } from '../../src/mesos/recordio.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** One HTTP request with exactly these headers. */
export function request(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: Uint8Array; agent?: http.Agent } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { body = new Uint8Array(), method = 'POST', headers = {}, agent = false } = options;
    const outgoing = http.request(url, { method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A subscription that keeps all its events. */
export class TestStream {
  readonly events: SchedulerEvent[] = [];
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Whether the answer came to its proper end. */
  ended = false;
  closed = false;
  readonly #response: http.IncomingMessage;
  readonly #waiting = new Set<() => void>();

  constructor(response: http.IncomingMessage, encoding: Encoding) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    const decoder = new RecordDecoder();
    response.on('data', (chunk: Buffer) => {
      for (const record of decoder.push(chunk)) {
        this.events.push(mesosCodec.decode('SchedulerEvent', record, encoding));
      }
      this.#look();
    });
    response.on('error', () => this.#look());
    response.on('end', () => {
      this.ended = true;
      this.#look();
    });
    response.on('close', () => {
      this.closed = true;
      this.#look();
    });
  }

  get id(): string {
    return String(this.headers['mesos-stream-id']);
  }

  /** Breaks the connection from the scheduler's side. */
  drop(): void {
    this.#response.destroy();
  }

  /** The first value that `pick` finds, now or with a later event. */
  async next<T>(what: string, pick: (events: readonly SchedulerEvent[]) => T | undefined): Promise<T> {
    const found = pick(this.events);
    if (found !== undefined) return found;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const seen = this.events.map(describeEvent).join('\n  ');
        reject(new PatchpanelError('deadline', `${what} did not come; seen:\n  ${seen}`));
      }, 8_000);
      const look = () => {
        const value = pick(this.events);
        if (value === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(value);
      };
      this.#waiting.add(look);
    });
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }
}

/** A scheduler without a mind of its own: tests say each call. */
export class TestScheduler {
  readonly encoding: Encoding;
  url: string;
  frameworkId: Framework['id'] | undefined;
  stream: TestStream | undefined;
  headers: Record<string, string> = {};
  /** Calls share one connection, as those of a real scheduler do. */
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string, encoding: Encoding = 'json') {
    this.url = `${url}/api/v1/scheduler`;
    this.encoding = encoding;
  }

  async subscribe(more: Partial<NonNullable<SchedulerCall['subscribe']>['framework_info']> = {}) {
    const id = this.frameworkId === undefined ? {} : { id: { value: this.frameworkId } };
    const info = {
      user: 'root',
      name: 'test',
      roles: ['*'],
      checkpoint: true,
      failover_timeout: 600,
      capabilities: [
        { type: 'MULTI_ROLE' },
        { type: 'PARTITION_AWARE' },
        { type: 'TASK_KILLING_STATE' },
      ] as const,
      ...id,
      ...more,
    };
    return this.open({
      type: 'SUBSCRIBE',
      subscribe: { framework_info: info },
      ...(info.id ? { framework_id: info.id } : {}),
    });
  }

  /** Opens a stream with this call and waits for its head; `stream` becomes it. */
  async open(call: SchedulerCall): Promise<TestStream> {
    const type = contentTypes[this.encoding];
    const stream = await new Promise<TestStream>((resolve, reject) => {
      const outgoing = http.request(
        this.url,
        { method: 'POST', agent: false, headers: { 'Content-Type': type, Accept: type, ...this.headers } },
        (response) => resolve(new TestStream(response, this.encoding)),
      );
      outgoing.on('error', reject);
      outgoing.end(mesosCodec.encode('SchedulerCall', call, this.encoding));
    });
    this.stream = stream;
    const first = await stream.next('the first event', (events) => events[0]);
    this.frameworkId ??= first.subscribed?.framework_id.value;
    return stream;
  }

  async call(call: SchedulerCall, headers: Record<string, string> = {}): Promise<Reply> {
    return request(this.url, {
      agent: this.#agent,
      headers: {
        'Content-Type': contentTypes[this.encoding],
        Accept: contentTypes[this.encoding],
        'Mesos-Stream-Id': this.stream?.id ?? '',
        ...this.headers,
        ...headers,
      },
      body: mesosCodec.encode(
        'SchedulerCall',
        { framework_id: { value: this.frameworkId ?? '' }, ...call },
        this.encoding,
      ),
    });
  }

  /** Acknowledges a status that has a uuid. */
  async acknowledge(status: TaskStatus): Promise<void> {
    if (status.uuid === undefined || status.agent_id === undefined) return;
    const { agent_id, task_id, uuid } = status;
    await this.call({ type: 'ACKNOWLEDGE', acknowledge: { agent_id, task_id, uuid } });
  }

  /** The statuses of a task in the order of their arrival. */
  statuses(taskId: string): TaskStatus[] {
    return statusesOf(this.stream?.events ?? [], taskId);
  }

  /** Waits for a status of the task and acknowledges it and those before it. */
  async see(taskId: string, matches: (status: TaskStatus) => boolean): Promise<TaskStatus> {
    const acknowledged = new Set<string>();
    for (;;) {
      const found = await this.stream!.next(`an update of ${taskId}`, (events) =>
        statusesOf(events, taskId).find((status) => !acknowledged.has(keyOf(status))),
      );
      acknowledged.add(keyOf(found));
      await this.acknowledge(found);
      if (matches(found)) return found;
    }
  }

  close(): void {
    this.#agent.destroy();
    this.stream?.drop();
  }
}

const keyOf = (status: TaskStatus): string =>
  `${Buffer.from(status.uuid ?? []).toString('hex')} ${status.timestamp} ${status.state}`;

/** The statuses of a task among these events. */
export function statusesOf(events: readonly SchedulerEvent[], taskId: string): TaskStatus[] {
  return events.flatMap(({ update }) => (update?.status.task_id.value === taskId ? [update.status] : []));
}

/** One line for people who read a failed test. */
export function describeEvent(event: SchedulerEvent): string {
  const status = event.update?.status;
  if (status === undefined)
    return `${event.type} ${JSON.stringify(event.failure ?? event.error ?? event.rescind ?? '')}`;
  return `UPDATE ${status.task_id.value} ${status.state} ${status.reason ?? ''} ${status.message ?? ''}`;
}
