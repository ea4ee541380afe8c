import { expect, test } from '@jest/globals';
import type { SchedulerCall, SchedulerEvent, TaskInfo, TaskState } from '../../proto/mesos.gen.ts';
import { Master } from '../../src/devcluster/mesos/core/master.ts';
import type { Connection, ToAgent } from '../../src/devcluster/mesos/core/messages.ts';
import { metricsPage } from '../../src/devcluster/mesos/core/master-metrics.ts';
import { mesosTimings } from '../../src/devcluster/mesos/options.ts';
import { newUuid } from '../../src/mesos/uuid.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const scalar = (name: string, value: number) => ({ name, type: 'SCALAR' as const, scalar: { value } });

/** A master with one framework and agents that do nothing by themselves. */
class Rig {
  readonly clock = new ManualClock();
  readonly master = new Master({
    identity: { id: 'M', host: '127.0.0.1', port: 5050 },
    clock: this.clock,
    random: Math.random,
    timings: mesosTimings,
    log: recordingLogger(),
  });
  readonly events: SchedulerEvent[] = [];
  readonly toAgent: ToAgent[] = [];
  answersPings = true;
  #stream = this.newStream();

  newStream() {
    const events = this.events;
    return { id: 's', send: (event: SchedulerEvent) => void events.push(event), end: () => {} };
  }

  subscribe(more: object = {}, suppressed: string[] = []): this {
    const known = this.events.find(({ subscribed }) => subscribed)?.subscribed?.framework_id;
    const info = {
      user: 'root',
      name: 'n',
      roles: ['r'],
      failover_timeout: 100,
      capabilities: [{ type: 'MULTI_ROLE' as const }, { type: 'PARTITION_AWARE' as const }],
      ...(known === undefined ? {} : { id: known }),
      ...more,
    };
    this.#stream = this.newStream();
    this.master.subscribe(
      { type: 'SUBSCRIBE', subscribe: { framework_info: info, suppressed_roles: suppressed } },
      this.#stream,
    );
    this.clock.advance(0);
    return this;
  }

  drop(): void {
    this.master.streamClosed(this.#stream);
  }

  addAgent(): Connection<ToAgent> {
    const send = (message: ToAgent) => {
      if (message.kind !== 'ping') this.toAgent.push(message);
      else if (this.answersPings) this.master.receive(connection, { kind: 'pong' });
    };
    const connection = { send, close: () => {} };
    const info = { hostname: 'h', resources: [scalar('cpus', 4), scalar('mem', 1000)] };
    this.master.receive(connection, { kind: 'register', info, endpoint: { host: '10.0.0.1', port: 5051 } });
    this.clock.advance(0);
    return connection;
  }

  call(call: SchedulerCall): void {
    const framework = this.master.framework('M-0000');
    if (framework !== undefined) this.master.call(framework, call);
  }

  launch(...taskIds: string[]): void {
    const tasks = taskIds.map((id): TaskInfo => ({
      name: id,
      task_id: { value: id },
      agent_id: { value: 'M-S0' },
      resources: [scalar('cpus', 1), scalar('mem', 100)],
      executor: { executor_id: { value: 'e' }, command: { value: 'run' }, resources: [scalar('cpus', 0.5)] },
    }));
    const offer = this.offers().at(-1)!;
    this.call({
      type: 'ACCEPT',
      accept: { offer_ids: [offer.id], operations: [{ type: 'LAUNCH', launch: { task_infos: tasks } }] },
    });
  }

  update(connection: Connection<ToAgent>, taskId: string, state: TaskState): Uint8Array {
    const uuid = newUuid();
    const status = { task_id: { value: taskId }, state, uuid, agent_id: { value: 'M-S0' } };
    this.master.receive(connection, {
      kind: 'status-update',
      frameworkId: 'M-0000',
      status,
      latestState: state,
    });
    return uuid;
  }

  offers() {
    return this.events.flatMap(({ offers }) => offers?.offers ?? []);
  }

  statuses(): string[] {
    return this.events.flatMap(({ update }) =>
      update ? [`${update.status.task_id.value} ${update.status.state}`] : [],
    );
  }

  types(): (string | undefined)[] {
    return this.events.map(({ type }) => type);
  }
}

test('a new framework is offered everything at once, with ids like those of Mesos', () => {
  const rig = new Rig();
  rig.addAgent();
  rig.subscribe();
  expect(rig.types()).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'OFFERS']);
  expect(rig.offers()).toMatchObject([
    { id: { value: 'M-O0' }, framework_id: { value: 'M-0000' }, agent_id: { value: 'M-S0' } },
  ]);
});

test('heartbeats come every 15 s until the stream is gone', () => {
  const rig = new Rig().subscribe();
  rig.clock.advance(45_000);
  expect(rig.types()).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'HEARTBEAT', 'HEARTBEAT', 'HEARTBEAT']);
  rig.drop();
  rig.clock.advance(45_000);
  expect(rig.types().length).toBe(5);
});

test('what is left of an ACCEPT comes again after its refusal', () => {
  const rig = new Rig();
  rig.addAgent();
  rig.subscribe().launch('t1', 't2');
  expect(rig.toAgent.slice(-2)).toMatchObject([
    { kind: 'run-task', launchExecutor: true, task: { name: 't1' } },
    { kind: 'run-task', launchExecutor: false, task: { name: 't2' } },
  ]);
  rig.clock.advance(4_999);
  expect(rig.offers().length).toBe(1);
  rig.clock.advance(1_001);
  expect(rig.offers().at(-1)).toMatchObject({
    resources: [{ scalar: { value: 1.5 } }, { scalar: { value: 800 } }],
    executor_ids: [{ value: 'e' }],
  });
});

test('SUPPRESS stops offers, REVIVE brings them at once, an unknown role voids the call', () => {
  const rig = new Rig();
  rig.subscribe();
  rig.call({ type: 'SUPPRESS', suppress: {} });
  rig.addAgent();
  rig.clock.advance(5_000);
  expect(rig.offers()).toEqual([]);
  rig.call({ type: 'REVIVE', revive: { roles: ['r', 'stranger'] } });
  rig.clock.advance(5_000);
  expect(rig.offers()).toEqual([]);
  rig.call({ type: 'REVIVE', revive: { roles: ['r'] } });
  rig.clock.advance(0);
  expect(rig.offers().length).toBe(1);
});

test('an agent that misses five pings is unreachable, one that answers is not', () => {
  const rig = new Rig();
  rig.addAgent();
  rig.subscribe().launch('t1');
  rig.clock.advance(150_000);
  expect(rig.statuses()).toEqual([]);
  rig.answersPings = false;
  rig.clock.advance(75_000);
  expect(rig.statuses()).toEqual([]);
  rig.clock.advance(15_000);
  expect(rig.statuses()).toEqual(['t1 TASK_UNREACHABLE']);
  expect(rig.types()).toContain('FAILURE');
  expect(metricsPage(rig.master.context)).toMatchObject({
    'master/slaves_unreachable': 1,
    'master/tasks_unreachable': 1,
    'allocator/mesos/resources/cpus/total': 0,
  });
});

test('a framework that is away longer than its timeout is torn down', () => {
  const rig = new Rig();
  rig.addAgent();
  rig.subscribe().launch('t1');
  rig.drop();
  rig.clock.advance(99_999);
  expect(rig.master.framework('M-0000')).toBeDefined();
  rig.clock.advance(1);
  expect(rig.master.framework('M-0000')).toBeUndefined();
  expect(rig.toAgent.at(-1)).toEqual({ kind: 'shutdown-framework', frameworkId: 'M-0000' });
  rig.subscribe();
  expect(rig.events.at(-1)).toEqual({ type: 'ERROR', error: { message: 'Framework has been removed' } });
});

test('one that is back in time keeps its tasks and gets offers at once', () => {
  const rig = new Rig();
  rig.addAgent();
  rig.subscribe().launch('t1');
  rig.drop();
  rig.clock.advance(99_999);
  rig.events.splice(3);
  rig.subscribe();
  expect(rig.types().slice(3)).toEqual(['SUBSCRIBED', 'HEARTBEAT', 'OFFERS']);
  rig.clock.advance(100_000);
  expect(rig.master.framework('M-0000')?.tasks.size).toBe(1);
});

test('agents hear of a framework that subscribes again, not of one that is new', () => {
  const rig = new Rig();
  rig.addAgent();
  rig.subscribe();
  expect(rig.toAgent.map(({ kind }) => kind)).toEqual(['registered']);
  rig.drop();
  rig.subscribe();
  expect(rig.toAgent.at(-1)).toEqual({ kind: 'update-framework', frameworkId: 'M-0000' });
});

test('an id that the master never gave is accepted', () => {
  const rig = new Rig().subscribe({ id: { value: 'my-own' } });
  expect(rig.events[0]).toMatchObject({ subscribed: { framework_id: { value: 'my-own' } } });
});

test('a task frees its resources when it ends but is known until that is acknowledged', () => {
  const rig = new Rig();
  const connection = rig.addAgent();
  rig.subscribe().launch('t1');
  const uuid = rig.update(connection, 't1', 'TASK_FINISHED');
  rig.clock.advance(1_000);
  expect(rig.offers().at(-1)?.resources?.[0]).toMatchObject({ name: 'cpus', scalar: { value: 3.5 } });
  rig.call({ type: 'RECONCILE', reconcile: {} });
  expect(rig.statuses()).toEqual(['t1 TASK_FINISHED', 't1 TASK_FINISHED']);
  const ids = { agent_id: { value: 'M-S0' }, task_id: { value: 't1' } };
  rig.call({ type: 'ACKNOWLEDGE', acknowledge: { ...ids, uuid } });
  expect(rig.toAgent.at(-1)).toMatchObject({ kind: 'acknowledge', taskId: 't1' });
  rig.call({ type: 'RECONCILE', reconcile: { tasks: [ids] } });
  expect(rig.statuses().at(-1)).toBe('t1 TASK_GONE');
  expect(rig.master.framework('M-0000')?.completed.length).toBe(1);
});

test('an acknowledgement of an update that this master did not pass on goes no further', () => {
  const rig = new Rig();
  rig.addAgent();
  rig.subscribe().launch('t1');
  const before = rig.toAgent.length;
  const ids = { agent_id: { value: 'M-S0' }, task_id: { value: 't1' } };
  rig.call({ type: 'ACKNOWLEDGE', acknowledge: { ...ids, uuid: newUuid() } });
  expect(rig.toAgent.length).toBe(before);
});

test('a kill with the wrong agent is ignored, one for a disconnected agent is sent when it is back', () => {
  const rig = new Rig();
  const connection = rig.addAgent();
  rig.subscribe().launch('t1');
  rig.call({ type: 'KILL', kill: { task_id: { value: 't1' }, agent_id: { value: 'other' } } });
  expect(rig.toAgent.at(-1)?.kind).toBe('run-task');
  rig.master.agentDisconnected(connection);
  rig.call({ type: 'KILL', kill: { task_id: { value: 't1' } } });
  expect(rig.statuses()).toEqual([]);
  rig.master.receive(connection, {
    kind: 'reregister',
    agentId: 'M-S0',
    info: { hostname: 'h', id: { value: 'M-S0' } },
    endpoint: { host: '10.0.0.1', port: 5051 },
    frameworks: [],
    executors: [],
    tasks: [],
  });
  expect(rig.toAgent.slice(-2)).toEqual([
    { kind: 'reregistered', missing: [{ frameworkId: 'M-0000', taskId: 't1' }] },
    { kind: 'kill-task', frameworkId: 'M-0000', taskId: 't1', policy: undefined },
  ]);
});

test('an offer can be used once, and offers of two agents not together', () => {
  const rig = new Rig();
  rig.addAgent();
  rig.addAgent();
  rig.subscribe();
  const ids = rig.offers().map(({ id }) => id);
  const launch = {
    type: 'LAUNCH' as const,
    launch: { task_infos: [{ name: 'x', task_id: { value: 'x' }, agent_id: { value: 'M-S0' } }] },
  };
  rig.call({ type: 'ACCEPT', accept: { offer_ids: ids, operations: [launch] } });
  expect(rig.events.at(-1)?.update?.status.message).toMatch(/belong to one single agent/);
  rig.clock.advance(1_000);
  expect(rig.offers().length).toBe(4);
});

test('completed tasks are kept up to a bound', () => {
  const rig = new Rig();
  const connection = rig.addAgent();
  rig.subscribe();
  for (let index = 0; index < 1_100; index += 1) {
    rig.launch(`t${index}`);
    const uuid = rig.update(connection, `t${index}`, 'TASK_FINISHED');
    const ids = { agent_id: { value: 'M-S0' }, task_id: { value: `t${index}` } };
    rig.call({ type: 'ACKNOWLEDGE', acknowledge: { ...ids, uuid } });
    rig.call({ type: 'REVIVE', revive: {} });
    rig.clock.advance(1);
  }
  expect(rig.master.framework('M-0000')?.completed.length).toBe(1_000);
  expect(rig.master.framework('M-0000')?.completed[0]?.taskId).toBe('t100');
});
