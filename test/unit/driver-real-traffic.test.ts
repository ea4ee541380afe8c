import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../proto/mesos.gen.ts';
import type { Effect } from '../../scheduler/core/effects.ts';
import { MesosLink } from '../../scheduler/driver/mesos/mesos-link.ts';
import { taskSpec } from '../../scheduler/driver/mesos/task-spec.ts';
import { SchedulerMetrics } from '../../scheduler/driver/metrics.ts';
import { restore } from '../../scheduler/core/restore.ts';
import type { MasterCall } from '../../src/mesos/calls.ts';
import { mesosCodec } from '../../src/mesos/codec.ts';
import { masterEvent } from '../../src/mesos/events.ts';
import { agentId, appId, slotId, taskId } from '../../src/model/ids.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';
import { instanceRecord, slotRecord, surroundings, reach } from '../support/core-records.ts';
import { network } from '../support/fabric-views.ts';
import { readCaptured } from '../support/mesos-captures.ts';
import { recordingLogger } from '../support/recording-logger.ts';

interface RecordedEvent {
  readonly type: string;
  readonly update?: {
    readonly status: {
      readonly task_id: { readonly value: string };
      readonly uuid?: string;
      readonly agent_id?: { readonly value: string };
      readonly reason?: string;
    };
  };
}

/** Milliseconds since the recording began. */
const timeOf = (event: RecordedEvent): number => Number(new Map(Object.entries(event)).get('__at'));

/** The recorded scheduler launched a task id a second time on purpose; ours are never used again. */
const isOfSecondLaunch = ({ update }: RecordedEvent): boolean =>
  update?.status.reason === 'REASON_TASK_INVALID' && recordedTasks.includes(update.status.task_id.value);

const recordedTasks = ['t1-run', 't2-run', 't3-finish', 't4-fail'];
const tickMs = 1_000;
const version = instanceRecord().version;

/**
 * The scheduler's core behind the Mesos link, told what a real master said at the times at which it said it. It
 * believes that it launched the recorded tasks, one for each of four apps.
 */
class Replay {
  readonly bench: CoreBench;
  readonly calls: MasterCall[] = [];
  readonly #link: MesosLink;
  readonly #events: readonly RecordedEvent[];

  constructor(name: string) {
    const events = readCaptured(`${name}/events.json`) as readonly RecordedEvent[];
    this.#events = events.filter((event) => !isOfSecondLaunch(event));
    let link: MesosLink | undefined;
    this.bench = new CoreBench({
      buildExecutorInfo: (executorId, offers) => ({
        executor_id: { value: executorId },
        resources: link!.takeForExecutor({ cpus: 100, mem: 32_000 }, offers),
      }),
      executorResources: { cpus: 100, mem: 32_000 },
    });
    link = new MesosLink({
      call: (call) => {
        this.calls.push(call);
        return Promise.resolve({ kind: 'accepted' });
      },
      submit: (event) => {
        const { effects } = this.bench.step(event);
        this.#carryOut(effects);
        if (event.kind === 'offers') link!.release(event.offers);
        return Promise.resolve();
      },
      publish: () => undefined,
      prepareLaunch: (launch) => ({
        launch,
        spec: () => taskSpec(launch, network('default', 7, '10.32.0.0/16'), reach, surroundings),
        accepted: 'any',
        executor: this.bench.world.executors.get(launch.instance.agentId)!.info as {
          executor_id: { value: string };
          resources: readonly Resource[];
        },
      }),
      onSubscribed: () => undefined,
      log: recordingLogger(),
      metrics: new SchedulerMetrics(),
    });
    this.#link = link;
    this.#restoreTasks();
  }

  async run(): Promise<void> {
    const start = this.bench.now;
    let at = 0;
    for (const recorded of this.#events) {
      for (; at + tickMs <= timeOf(recorded); at += tickMs) {
        this.bench.now = start + at;
        this.#carryOut(this.bench.step({ kind: 'tick' }).effects);
      }
      this.bench.now = start + timeOf(recorded);
      const bytes = Buffer.from(JSON.stringify(recorded));
      await this.#link.onEvent(masterEvent(mesosCodec.decode('SchedulerEvent', bytes, 'json'))!);
    }
  }

  /** The uuids that Mesos sent, in order. */
  get delivered(): readonly string[] {
    return this.#events.flatMap(({ update }) => update?.status.uuid ?? []);
  }

  get acknowledged(): readonly string[] {
    return this.calls.flatMap(({ acknowledge }) =>
      acknowledge === undefined ? [] : Buffer.from(acknowledge.uuid).toString('base64'),
    );
  }

  get killed(): readonly string[] {
    return this.calls.flatMap(({ kill }) => kill?.task_id.value ?? []);
  }

  condition(task: string): string | undefined {
    return this.bench.world.instances.get(taskId(task))?.condition;
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'publish' || effect.kind === 'host-forgotten') continue;
      if (effect.kind !== 'fabric-changed' && effect.kind !== 'networks-changed')
        this.#link.prepare(effect)();
    }
  }

  #restoreTasks(): void {
    const agent = this.#events.flatMap(({ update }) => update?.status.agent_id?.value ?? [])[0];
    recordedTasks.forEach((task, index) => {
      const id = appId(`/${task}`);
      const app = anApp(id, {
        unreachableStrategy: 'disabled',
        version,
        versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
      });
      const slot = slotRecord({
        id: slotId(id, 0),
        appId: id,
        index: 0,
        epoch: 1,
        activeEpoch: 1,
        lease: { ...slotRecord().lease!, ip: `10.32.0.${10 + index}` },
      });
      const instance = instanceRecord({
        taskId: taskId(task),
        slotId: slot.id,
        appId: id,
        epoch: 1,
        agentId: agentId(agent ?? 'S0'),
        stagedAt: this.bench.now,
        since: this.bench.now,
      });
      restore(this.bench.world, [
        { kind: 'app', key: id, value: app },
        { kind: 'slot', key: slot.id, value: slot },
        { kind: 'instance', key: instance.taskId, value: instance },
      ]);
    });
    this.bench.world.primed = false;
  }
}

const everything = [
  'scheduler-json',
  'scheduler-protobuf',
  'unreachable-json',
  'agent-restart-json',
  'master-failover-json',
];

describe.each(everything)('%s', (name) => {
  test('every update with a uuid is acknowledged each time that it comes, no other', async () => {
    const replay = new Replay(name);
    await replay.run();
    expect(replay.delivered.length).toBeGreaterThan(5);
    expect(replay.acknowledged.toSorted()).toEqual(replay.delivered.toSorted());
  });

  test('no recorded task is killed, none is launched a second time, launches fit what was offered', async () => {
    const replay = new Replay(name);
    await replay.run();
    expect(replay.killed.filter((task) => recordedTasks.includes(task))).toEqual([]);
    const launched = replay.calls.flatMap(({ accept }) =>
      (accept?.operations ?? []).flatMap(({ launch }) => launch?.task_infos ?? []),
    );
    expect(new Set(launched.map(({ task_id }) => task_id.value)).size).toBe(launched.length);
    expect(launched.map(({ name: app }) => app)).toEqual(expect.arrayContaining(['t4-fail']));
    for (const { resources } of launched) {
      expect(resources).toContainEqual(expect.objectContaining({ name: 'cpus', scalar: { value: 0.1 } }));
    }
  });
});

test('tasks of an agent that was unreachable go on as they were when it returns', async () => {
  const replay = new Replay('unreachable-json');
  await replay.run();
  // The agent is killed at the end of the recording.
  expect([replay.condition('t1-run'), replay.condition('t2-run')]).toEqual(['unreachable', 'unreachable']);
  expect(replay.condition('t3-finish')).toBeUndefined();
});

test('a new master that does not know a running task yet is not believed', async () => {
  const replay = new Replay('master-failover-json');
  await replay.run();
  expect([replay.condition('t1-run'), replay.condition('t2-run')]).toEqual(['running', 'running']);
  expect(replay.condition('t3-finish')).toBeUndefined();
});

test('an agent that restarts changes nothing for its tasks', async () => {
  const replay = new Replay('agent-restart-json');
  await replay.run();
  expect(replay.condition('t2-run')).toBe('running');
  expect(replay.condition('t1-run')).toBeUndefined();
});
