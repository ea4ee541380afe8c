import { expect, test } from '@jest/globals';
import { array, assert, constantFrom, integer, nat, property, record } from 'fast-check';
import type { SchedulerEvent, TaskInfo, TaskStatus } from '../../proto/mesos.gen.ts';
import { SimulatedContainers } from '../../src/devcluster/mesos/agents/simulated-containers.ts';
import { Agent } from '../../src/devcluster/mesos/core/agent.ts';
import { emptyAgentState } from '../../src/devcluster/mesos/core/agent-state.ts';
import { addBundles, bundleOf, emptyBundle } from '../../src/devcluster/mesos/core/bundle.ts';
import { holdingsOn } from '../../src/devcluster/mesos/core/master-agents.ts';
import { Master } from '../../src/devcluster/mesos/core/master.ts';
import { isTerminal } from '../../src/devcluster/mesos/core/task-states.ts';
import { mesosTimings } from '../../src/devcluster/mesos/options.ts';
import { Wire } from '../../src/devcluster/mesos/wire.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const scalar = (name: string, value: number) => ({ name, type: 'SCALAR' as const, scalar: { value } });
const totals = [scalar('cpus', 4), scalar('mem', 1000)];

/** Masters, agents and a scheduler in one thread: messages are delivered when the world is told to settle. */
class World {
  readonly clock = new ManualClock();
  readonly random: () => number;
  readonly hosts: Host[] = [];
  readonly statuses = new Map<string, TaskStatus>();
  offers: { id: { value: string }; agent_id: { value: string } }[] = [];
  master: Master;
  stream: { id: string; send: (event: SchedulerEvent) => void; end: () => void } | undefined;
  readonly #queue: (() => void)[] = [];
  #masters = 0;
  #tasks = 0;

  constructor(random: () => number) {
    this.random = random;
    this.master = this.newMaster();
    for (let index = 0; index < 3; index += 1) this.hosts.push(new Host(this));
    this.subscribe();
    this.settle();
  }

  readonly post = (delivery: () => void): void => void this.#queue.push(delivery);

  newMaster(): Master {
    this.#masters += 1;
    return new Master({
      identity: { id: `M${this.#masters}`, host: '127.0.0.1', port: 5050 },
      clock: this.clock,
      random: this.random,
      timings: mesosTimings,
      log: recordingLogger(),
    });
  }

  settle(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
  }

  advance(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.clock.advance(1_000);
      this.settle();
    }
  }

  subscribe(): void {
    const stream = {
      id: 's',
      send: (event: SchedulerEvent) => {
        if (this.stream === stream) this.receive(event);
      },
      end: () => {},
    };
    this.stream = stream;
    this.offers = [];
    const info = {
      user: 'root',
      name: 'n',
      id: { value: 'F' },
      roles: ['*'],
      checkpoint: true,
      failover_timeout: 1e6,
      capabilities: [{ type: 'MULTI_ROLE' as const }, { type: 'PARTITION_AWARE' as const }],
    };
    this.master.subscribe({ type: 'SUBSCRIBE', subscribe: { framework_info: info } }, stream);
  }

  receive(event: SchedulerEvent): void {
    this.offers.push(...(event.offers?.offers ?? []));
    const status = event.update?.status;
    if (status === undefined) return;
    this.statuses.set(status.task_id.value, status);
    const { agent_id: agentId, task_id: taskId, uuid } = status;
    if (uuid === undefined || agentId === undefined) return;
    this.post(() =>
      this.call({ type: 'ACKNOWLEDGE', acknowledge: { agent_id: agentId, task_id: taskId, uuid } }),
    );
  }

  call(call: Parameters<Master['call']>[1]): void {
    const framework = this.master.framework('F');
    if (framework?.stream !== undefined) this.master.call(framework, call);
  }

  launch(): void {
    const offer = this.offers.shift();
    if (offer === undefined) return;
    const taskId = `t${this.#tasks++}`;
    this.statuses.set(taskId, { task_id: { value: taskId }, state: 'TASK_STAGING' });
    const task: TaskInfo = {
      name: taskId,
      task_id: { value: taskId },
      agent_id: offer.agent_id,
      resources: [scalar('cpus', 0.1), scalar('mem', 10)],
      // A new executor each few tasks, so that some are gone when their time comes again.
      executor: {
        executor_id: { value: `e${this.#tasks >> 2}` },
        command: { value: 'x' },
        resources: [scalar('cpus', 0.1)],
      },
    };
    this.call({
      type: 'ACCEPT',
      accept: {
        offer_ids: [offer.id],
        operations: [{ type: 'LAUNCH', launch: { task_infos: [task] } }],
        filters: { refuse_seconds: 0 },
      },
    });
  }

  drop(): void {
    if (this.stream !== undefined) this.master.streamClosed(this.stream);
    this.stream = undefined;
    // The scheduler is soon back.
    this.clock.after(2_000, () => this.stream ?? this.subscribe());
  }

  failover(): void {
    this.master.stop();
    this.master = this.newMaster();
    this.drop();
    for (const host of this.hosts) host.connect();
  }
}

class Host {
  readonly state = emptyAgentState();
  readonly containers: SimulatedContainers;
  readonly #world: World;
  agent: Agent | undefined;
  wire: Wire | undefined;
  cut = false;

  constructor(world: World) {
    this.#world = world;
    this.containers = new SimulatedContainers({
      post: world.post,
      random: Math.random,
      now: () => world.clock.now(),
      agent: () => this.agent,
      events: {
        started: () => {},
        ended: (containerId, end) => this.agent?.containerEnded(containerId, end),
      },
      onLaunch: undefined,
    });
    this.start();
  }

  start(): void {
    if (this.agent !== undefined) return;
    const { clock } = this.#world;
    this.agent = new Agent({
      state: this.state,
      info: { hostname: 'h', resources: totals },
      endpoint: { host: '10.0.0.1', port: 5051 },
      workDir: '/work',
      executorEnvironment: {},
      containers: this.containers,
      clock,
      random: this.#world.random,
      timings: mesosTimings,
      log: recordingLogger(),
    });
    this.containers.resubscribe();
    this.connect();
  }

  stop(): void {
    this.agent?.stop();
    this.agent = undefined;
    this.wire?.close();
  }

  connect(): void {
    const { agent } = this;
    this.wire?.close();
    if (agent === undefined || this.cut) return;
    const { master } = this.#world;
    const wire = new Wire({
      post: this.#world.post,
      toMaster: (message) => master.receive(wire.atMaster, message),
      toAgent: (message) => agent.receive(message),
      closed: () => {
        if (!this.cut) master.agentDisconnected(wire.atMaster);
        if (this.wire !== wire) return;
        this.wire = undefined;
        this.agent?.disconnect();
        this.#world.post(() => this.wire ?? this.connect());
      },
    });
    this.wire = wire;
    agent.connect(wire.atAgent);
  }

  setCut(cut: boolean): void {
    this.cut = cut;
    if (cut) this.wire?.cut();
    else if (this.wire === undefined) this.connect();
    else this.wire.heal();
  }
}

type Step = { readonly kind: string; readonly host: number; readonly seconds: number };

function perform(world: World, { kind, host: index, seconds }: Step): void {
  const host = world.hosts[index]!;
  const task = [...world.statuses.keys()].at(-1 - seconds);
  if (kind === 'launch') world.launch();
  if (kind === 'kill' && task !== undefined) world.call({ type: 'KILL', kill: { task_id: { value: task } } });
  if (kind === 'cut') host.setCut(true);
  if (kind === 'heal') host.setCut(false);
  if (kind === 'stop') host.stop();
  if (kind === 'start') host.start();
  if (kind === 'end') host.containers.destroyAll();
  if (kind === 'failover') world.failover();
  if (kind === 'subscribe') world.subscribe();
  if (kind === 'drop') world.drop();
  if (kind === 'wait') world.advance(seconds * seconds * 1_000);
  // Sometimes the next step comes while messages are still on their way.
  if (seconds % 3 !== 0) world.settle();
}

/** Everything comes back, and the scheduler asks until all is quiet. */
function calm(world: World): void {
  for (const host of world.hosts) {
    host.start();
    host.setCut(false);
  }
  world.settle();
  world.subscribe();
  world.advance(700_000);
  const unknown = [...world.statuses.keys()].map((taskId) => ({ task_id: { value: taskId } }));
  world.call({ type: 'RECONCILE', reconcile: { tasks: unknown } });
  world.settle();
}

/** How often each kind of step comes. */
const kinds = Object.entries({
  launch: 12,
  wait: 6,
  kill: 3,
  subscribe: 2,
  cut: 1,
  heal: 2,
  stop: 1,
  start: 2,
  end: 1,
  failover: 1,
  drop: 1,
}).flatMap(([kind, weight]) => Array<string>(weight).fill(kind));
const step = record({
  kind: constantFrom(...kinds),
  host: nat({ max: 2 }),
  seconds: nat({ max: 9 }),
});

test('whatever happens, master, agents and scheduler agree in the end and no resource is lost or given twice', () => {
  const life = property(array(step, { maxLength: 60 }), integer(), (steps, seed) => {
    let state = seed >>> 0;
    const world = new World(() => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) / 2 ** 32);
    for (const one of steps) perform(world, one);
    calm(world);
    const alive = new Map<string, string>();
    for (const { state: disk } of world.hosts) {
      for (const { executors } of disk.frameworks.values()) {
        for (const { launched } of executors.values()) {
          for (const [taskId, task] of launched) alive.set(taskId, task.state);
        }
      }
    }
    const known = new Map(
      [...world.master.framework('F')!.tasks.values()].map((task) => [task.taskId, task.state]),
    );
    expect(known).toEqual(alive);
    for (const [taskId, status] of world.statuses) {
      if (alive.has(taskId)) expect(status.state).toBe('TASK_RUNNING');
      else expect(isTerminal(status.state) || status.state === 'TASK_UNKNOWN').toBe(true);
    }
    expect(new Set(world.master.context.state.agents.keys())).toEqual(
      new Set(world.hosts.map(({ state: disk }) => disk.agentId)),
    );
    for (const agent of world.master.context.state.agents.values()) {
      const offered = [...agent.offers].map((id) => world.master.context.state.offers.get(id)!);
      const parts = [...holdingsOn(agent), ...offered].map(({ resources }) => resources);
      expect(parts.reduce(addBundles, emptyBundle).scalars).toEqual(bundleOf(totals).scalars);
    }
  });
  assert(life, { numRuns: 60 });
});
