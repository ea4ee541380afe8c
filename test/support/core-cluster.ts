import { agentId, offerId } from '../../src/model/ids.ts';
import type { AgentId, ExecutorId, OfferId, TaskId } from '../../src/model/ids.ts';
import type { Condition } from '../../src/model/instance.ts';
import type { Effect } from '../../scheduler/core/effects.ts';
import type { Event, StatusUpdate } from '../../scheduler/core/events.ts';

/** Numbers from a seed (mulberry32). */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 … 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }
}

/** How unreliable everything is; all 0 for a calm cluster. */
export interface Trouble {
  readonly lostCall: number;
  readonly lostEvent: number;
  readonly repeatedEvent: number;
  readonly failingTask: number;
  readonly lostAgent: number;
  readonly returningAgent: number;
}

export const calm: Trouble = {
  lostCall: 0,
  lostEvent: 0,
  repeatedEvent: 0,
  failingTask: 0,
  lostAgent: 0,
  returningAgent: 1,
};

interface Task {
  readonly taskId: TaskId;
  readonly cpus: number;
  state: Condition;
  /** Updates of the agent that were not acknowledged, oldest first. */
  readonly queue: { condition: Condition; uuid: Uint8Array }[];
}

interface Agent {
  readonly id: AgentId;
  reachable: boolean;
  readonly tasks: Map<TaskId, Task>;
  readonly executors: Set<ExecutorId>;
  offered: OfferId | undefined;
  declinedUntil: number;
}

/** What the executor takes of an agent, in thousandths. */
export const executorCpus = 100;

/**
 * A Mesos master with agents, as far as a scheduler can tell, without time or input and output of its own: calls go
 * in, events come out, in the order and with the losses that the seed decides.
 * It throws when the scheduler does what Mesos would punish: uses more than was offered or uses a task id again.
 */
export class ModelCluster {
  readonly agents: Agent[];
  readonly #random: SeededRandom;
  readonly #everUsed = new Set<TaskId>();
  #suppressed = false;
  #inbox: Event[] = [];
  #count = 0;
  readonly #agentCpus: number;
  trouble: Trouble = calm;

  /** @param agentCpus what each agent has, in thousandths */
  constructor(random: SeededRandom, agents: number, agentCpus = 2_000) {
    this.#random = random;
    this.#agentCpus = agentCpus;
    this.agents = Array.from({ length: agents }, (_, index) => ({
      id: agentId(`agent-${index}`),
      reachable: true,
      tasks: new Map(),
      executors: new Set(),
      offered: undefined,
      declinedUntil: 0,
    }));
  }

  /** Tasks that really run on agents that the master reaches. */
  liveTasks(): TaskId[] {
    return this.agents
      .filter(({ reachable }) => reachable)
      .flatMap(({ tasks }) => [...tasks.values()].filter(isLive).map(({ taskId }) => taskId));
  }

  /** The scheduler subscribed anew: outstanding offers are void. */
  resubscribe(): void {
    this.#inbox = [];
    for (const agent of this.agents) agent.offered = undefined;
  }

  call(effect: Effect, now: number): void {
    if (effect.kind === 'publish' || effect.kind === 'host-forgotten') return;
    if (effect.kind === 'fabric-changed' || effect.kind === 'networks-changed') return;
    if (this.#random.chance(this.trouble.lostCall)) {
      if (effect.kind === 'accept' && this.#random.chance(0.5)) {
        this.#inbox.push({
          kind: 'launch-unknown',
          taskIds: effect.launches.map(({ instance }) => instance.taskId),
        });
      }
      return;
    }
    switch (effect.kind) {
      case 'accept':
        return this.#accept(effect);
      case 'decline':
        for (const agent of this.agents) {
          if (agent.offered === undefined || !effect.offerIds.includes(agent.offered)) continue;
          agent.offered = undefined;
          agent.declinedUntil = now + effect.refuseSeconds * 1000;
        }
        return;
      case 'kill':
        return this.#kill(effect.taskId, effect.agentId);
      case 'acknowledge':
        return this.#acknowledge(effect.taskId, effect.agentId, effect.uuid);
      case 'reconcile':
        return this.#reconcile(effect.tasks);
      case 'shutdown-executor':
      case 'accept-inverse':
      case 'decline-inverse':
        return;
      case 'revive':
        this.#suppressed = false;
        for (const agent of this.agents) agent.declinedUntil = 0;
        return;
      case 'suppress':
        this.#suppressed = true;
    }
  }

  /** Lets time pass: agents come and go, tasks go on or fail, updates are sent again, offers go out. */
  advance(now: number): void {
    for (const agent of this.agents) {
      if (agent.reachable && this.#random.chance(this.trouble.lostAgent)) this.#lose(agent);
      else if (!agent.reachable && this.#random.chance(this.trouble.returningAgent)) this.#bringBack(agent);
      for (const task of agent.tasks.values()) this.#work(task);
      if (agent.reachable) this.#sendUpdates(agent);
    }
    if (!this.#suppressed) this.#sendOffers(now);
  }

  /** What reaches the scheduler now. */
  takeEvents(): Event[] {
    const events = this.#inbox.flatMap((event) => {
      if (this.#random.chance(this.trouble.lostEvent)) return [];
      return this.#random.chance(this.trouble.repeatedEvent) && event.kind === 'status'
        ? [event, event]
        : [event];
    });
    this.#inbox = [];
    return events;
  }

  #accept({ offerIds, agentId: id, launches }: Extract<Effect, { kind: 'accept' }>): void {
    const agent = this.#agent(id);
    const valid = agent.reachable && agent.offered !== undefined && offerIds.includes(agent.offered);
    if (valid) agent.offered = undefined;
    for (const { instance, app, executorId } of launches) {
      if (this.#everUsed.has(instance.taskId)) throw new Error(`task id ${instance.taskId} used twice`);
      this.#everUsed.add(instance.taskId);
      if (!valid) {
        this.#tell({
          taskId: instance.taskId,
          agentId: id,
          condition: 'dropped',
          reason: 'REASON_INVALID_OFFERS',
        });
        continue;
      }
      agent.executors.add(executorId);
      agent.tasks.set(instance.taskId, {
        taskId: instance.taskId,
        cpus: app.cpus * 1000,
        state: 'staging',
        queue: [],
      });
      if (this.#freeCpus(agent) < 0) throw new Error(`${id} was given more than it offered`);
    }
  }

  #kill(taskId: TaskId, id: AgentId): void {
    const agent = this.#agent(id);
    const task = agent.tasks.get(taskId);
    if (task === undefined) return this.#answer(taskId, id);
    if (agent.reachable && isLive(task)) this.#update(task, 'killed');
  }

  #acknowledge(taskId: TaskId, id: AgentId, uuid: Uint8Array): void {
    const agent = this.#agent(id);
    const task = agent.tasks.get(taskId);
    if (task === undefined || !agent.reachable) return;
    if (task.queue[0]?.uuid.join() !== uuid.join()) return;
    task.queue.shift();
    if (!isLive(task) && task.queue.length === 0) agent.tasks.delete(taskId);
  }

  #reconcile(tasks: readonly { readonly taskId: TaskId; readonly agentId?: AgentId }[]): void {
    if (tasks.length === 0) {
      for (const agent of this.agents) {
        if (agent.reachable) for (const task of agent.tasks.values()) this.#answer(task.taskId, agent.id);
      }
    }
    for (const { taskId, agentId: id } of tasks) if (id !== undefined) this.#answer(taskId, id);
  }

  #answer(taskId: TaskId, id: AgentId): void {
    const agent = this.#agent(id);
    const known = agent.tasks.get(taskId)?.state ?? 'gone';
    this.#tell({
      taskId,
      agentId: id,
      condition: agent.reachable ? known : 'unreachable',
      reason: 'REASON_RECONCILIATION',
    });
  }

  #lose(agent: Agent): void {
    agent.reachable = false;
    agent.offered = undefined;
    for (const { taskId } of agent.tasks.values())
      this.#tell({ taskId, agentId: agent.id, condition: 'unreachable' });
    this.#inbox.push({ kind: 'agent-lost', agentId: agent.id });
  }

  #bringBack(agent: Agent): void {
    agent.reachable = true;
    for (const { taskId, state } of agent.tasks.values()) {
      this.#tell({ taskId, agentId: agent.id, condition: state, reason: 'REASON_SLAVE_REREGISTERED' });
    }
  }

  #work(task: Task): void {
    if (task.state === 'staging') this.#update(task, 'starting');
    else if (task.state === 'starting' && this.#random.chance(0.7)) this.#update(task, 'running');
    else if (isLive(task) && this.#random.chance(this.trouble.failingTask))
      this.#update(task, this.#random.chance(0.5) ? 'failed' : 'finished');
  }

  #update(task: Task, condition: Condition): void {
    task.state = condition;
    this.#count++;
    task.queue.push({
      condition,
      uuid: new Uint8Array([this.#count & 255, (this.#count >> 8) & 255, this.#count >> 16]),
    });
  }

  #sendUpdates(agent: Agent): void {
    for (const { taskId, queue } of agent.tasks.values()) {
      const head = queue[0];
      if (head !== undefined && this.#random.chance(0.8)) this.#tell({ taskId, agentId: agent.id, ...head });
    }
  }

  #sendOffers(now: number): void {
    for (const agent of this.agents) {
      const cpus = this.#freeCpus(agent);
      if (!agent.reachable || agent.offered !== undefined || now < agent.declinedUntil || cpus <= 0) continue;
      this.#count++;
      agent.offered = offerId(`offer-${this.#count}`);
      const offer = {
        id: agent.offered,
        agentId: agent.id,
        hostname: `${agent.id}.example`,
        scalars: { cpus, mem: 64_000_000, disk: 64_000_000, gpus: 0 },
        ports: [{ begin: 31_000, end: 31_999 }],
        attributes: {},
        executorIds: [...agent.executors],
      };
      if (this.#random.chance(this.trouble.lostEvent)) agent.offered = undefined;
      else this.#inbox.push({ kind: 'offers', offers: [offer] });
    }
  }

  #tell(status: StatusUpdate): void {
    this.#inbox.push({ kind: 'status', status });
  }

  #freeCpus(agent: Agent): number {
    const used = [...agent.tasks.values()].filter(isLive).reduce((sum, { cpus }) => sum + cpus, 0);
    return this.#agentCpus - used - agent.executors.size * executorCpus;
  }

  #agent(id: AgentId): Agent {
    const agent = this.agents.find((candidate) => candidate.id === id);
    if (agent === undefined) throw new Error(`no agent ${id}`);
    return agent;
  }
}

const isLive = ({ state }: Task): boolean =>
  state === 'staging' || state === 'starting' || state === 'running';
