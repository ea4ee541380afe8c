import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SchedulerCall, SchedulerEvent, TaskStatus } from '../../proto/mesos.gen.ts';
import { startDevMesos, type DevMesos } from '../../src/devcluster/mesos/dev-mesos.ts';
import type { AgentOptions, DevMesosOptions, Timings } from '../../src/devcluster/mesos/options.ts';
import { mesosCodec } from '../../src/mesos/codec.ts';
import type { AgentId } from '../../src/model/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { statusesOf, TestScheduler, type TestStream } from './emulator-scheduler.ts';
import { captures, readCaptured, type Capture } from './mesos-captures.ts';

/** The small executor that behaves like the recorded one. */
export const executorScript = path.resolve(import.meta.dirname, 'emulator-executor.mjs');

/** Mesos's times made short enough to wait for. */
export const quick: Partial<Timings> = {
  allocationIntervalMs: 100,
  registrationBackoffMs: 10,
  executorReregistrationMs: 3_000,
  executorRegistrationMs: 5_000,
};

export interface RecordedCall {
  readonly id?: string;
  readonly name: string;
  readonly request_headers?: Readonly<Record<string, string | number>>;
  readonly status?: number;
  readonly response_headers?: Readonly<Record<string, string>>;
  readonly response_body?: string;
}

/** An emulated cluster with one agent like the recorded one, and a scheduler that says the recorded calls. */
export class Replay {
  readonly capture: Capture;
  readonly calls: readonly RecordedCall[];
  /** The recorded events. */
  readonly recorded: readonly SchedulerEvent[];
  readonly mesos: DevMesos;
  readonly agentId: AgentId;
  readonly directory: string;
  readonly scheduler: TestScheduler;
  readonly streams: TestStream[] = [];
  readonly #taken = new Set<string>();

  private constructor(name: string, mesos: DevMesos, agentId: AgentId, directory: string) {
    this.capture = captures.find((capture) => capture.name === name)!;
    this.calls = readCaptured(`${name}/calls.json`) as readonly RecordedCall[];
    this.recorded = this.capture.events;
    this.mesos = mesos;
    this.agentId = agentId;
    this.directory = directory;
    this.scheduler = new TestScheduler(mesos.url, this.capture.encoding);
  }

  static async start(
    name: string,
    timings: Partial<Timings> = {},
    options: Partial<DevMesosOptions> = {},
    agent: Partial<AgentOptions> = {},
  ): Promise<Replay> {
    const directory = mkdtempSync(path.join(tmpdir(), 'pp-emulator-'));
    const log = createLogger('test', 'silent');
    const mesos = await startDevMesos({ log, ...options, timings: { ...quick, ...timings } });
    const agentId = await mesos.addAgent({
      hostname: '127.0.0.1',
      resources: { cpus: 4, mem: 4096, disk: 10240 },
      attributes: { rack: 'r1', ssd: 1.5 },
      region: 'local',
      zone: 'z1',
      workDir: directory,
      ...agent,
    });
    return new Replay(name, mesos, agentId, directory);
  }

  /** Everything of every stream so far. */
  get events(): readonly SchedulerEvent[] {
    return this.streams.flatMap(({ events }) => events);
  }

  bodyOf(file: string): Buffer {
    return this.capture.requests.find((request) => request.file.startsWith(file))!.body;
  }

  /** A recorded call with the ids of this run and an executor that exists. */
  adapted(file: string, offerId = '', variables: Readonly<Record<string, string>> = {}): SchedulerCall {
    const recorded = mesosCodec.decode('SchedulerCall', this.bodyOf(file), this.capture.encoding);
    const call = mapStrings(recorded, (text) => {
      if (/-S\d+$/.test(text)) return this.agentId;
      if (/-O\d+$/.test(text)) return offerId;
      if (/^[0-9a-f-]{36}-\d{4}$/.test(text)) return this.scheduler.frameworkId ?? text;
      if (text.startsWith('exec /usr/bin/env node')) return `exec ${process.execPath} ${executorScript}`;
      return text;
    });
    return withVariables(call, variables);
  }

  /** Subscribes with the recorded call of this stream. */
  async open(file: string): Promise<TestStream> {
    const stream = await this.scheduler.open(this.adapted(file));
    this.streams.push(stream);
    return stream;
  }

  /** Id of the next offer that was not taken yet; those with other cpus than asked for are declined. */
  async nextOffer(cpus?: number): Promise<string> {
    for (;;) {
      const offer = await this.scheduler.stream!.next('an offer', (events) =>
        events.flatMap(({ offers }) => offers?.offers ?? []).find(({ id }) => !this.#taken.has(id.value)),
      );
      this.#taken.add(offer.id.value);
      const offered = offer.resources?.find(({ name }) => name === 'cpus')?.scalar?.value;
      if (cpus === undefined || cpus === offered) return offer.id.value;
      await this.scheduler.call({ type: 'DECLINE', decline: { offer_ids: [offer.id] } });
    }
  }

  /**
   * The recorded ACCEPT with its four tasks on the next offer; all updates are acknowledged but the RUNNING of
   * t2-run. Resolves when the two short tasks are over, as far as the executor's variables let them end.
   */
  async launchTasks(file: string, variables: Readonly<Record<string, string>> = {}): Promise<void> {
    const { scheduler } = this;
    await scheduler.call(this.adapted(file, await this.nextOffer(), variables));
    const seen = new Set<TaskStatus>();
    const isOver = (task: string) => {
      const waits =
        variables['TASK_MS'] !== undefined || (task === 't3-finish' && 'FINISH_ALONE' in variables);
      const statuses = scheduler.statuses(task);
      return statuses.length >= (waits ? 2 : 3) && statuses.every((status) => seen.has(status));
    };
    while (!['t3-finish', 't4-fail'].every(isOver)) {
      const status = await scheduler.stream!.next('another update', (events) =>
        events.flatMap(({ update }) => update?.status ?? []).find((one) => !seen.has(one)),
      );
      seen.add(status);
      const isSkipped = status.task_id.value === 't2-run' && status.state === 'TASK_RUNNING';
      if (!isSkipped) await scheduler.acknowledge(status);
    }
  }

  async close(): Promise<void> {
    this.scheduler.close();
    await this.mesos.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

export const withoutIds = (text: string): string => text.replaceAll(uuid, 'UUID').replaceAll(/-O\d+/g, '-On');

/** What must be the same of a task's statuses: all but ids, times and addresses. */
export function shapesOf(events: readonly SchedulerEvent[], task: string): object[] {
  return statusesOf(events, task).map((status) => ({
    state: status.state,
    source: status.source,
    reason: status.reason,
    message: withoutIds(status.message?.split('\n')[0] ?? ''),
    fields: Object.keys(status).sort(),
    container: Object.keys(status.container_status ?? {}).sort(),
  }));
}

function withVariables(call: SchedulerCall, variables: Readonly<Record<string, string>>): SchedulerCall {
  const more = Object.entries(variables).map(([name, value]) => ({ name, value }));
  if (call.accept === undefined || more.length === 0) return call;
  const operations = (call.accept.operations ?? []).map((operation) => ({
    ...operation,
    launch: {
      task_infos: (operation.launch?.task_infos ?? []).map((task) => {
        const executor = task.executor!;
        const own = executor.command?.environment?.variables ?? [];
        const command = { ...executor.command, environment: { variables: [...own, ...more] } };
        return { ...task, executor: { ...executor, command } };
      }),
    },
  }));
  return { ...call, accept: { ...call.accept, operations } };
}

function mapStrings<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => mapStrings(item, change)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)])) as T;
}
