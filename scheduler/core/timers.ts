import type { AgentId, AppId, DeploymentId, SlotId, TaskId } from '../../src/model/ids.ts';

/** What falls due. One timer per key: setting it again replaces it. */
export type Timer =
  /** A launch is overdue: ask Mesos, later give up. */
  | { readonly kind: 'launch'; readonly taskId: TaskId }
  /** A kill was not answered. `attempt` counts what was sent. */
  | { readonly kind: 'kill'; readonly taskId: TaskId; readonly attempt: number }
  /** An unreachable instance may be replaced, or its record may go. */
  | { readonly kind: 'unreachable'; readonly taskId: TaskId }
  /** Mesos did not know the task: ask again. */
  | { readonly kind: 'unknown'; readonly taskId: TaskId }
  /** Hosts have had long enough to acknowledge the anchor. */
  | { readonly kind: 'anchor'; readonly slotId: SlotId }
  /** Hosts have had long enough to acknowledge the flip. */
  | { readonly kind: 'flip'; readonly slotId: SlotId }
  /** The old incarnation has had long enough for its connections. */
  | { readonly kind: 'drain'; readonly slotId: SlotId }
  /** The slot's address may be given to others. */
  | { readonly kind: 'quarantine'; readonly slotId: SlotId }
  /** An app's launch delay ends, or may be forgotten. */
  | { readonly kind: 'delay'; readonly key: string }
  /** Standbys of the app have waited for room for long enough. */
  | { readonly kind: 'room'; readonly appId: AppId }
  /** A host that could not be served may be tried again, or forgotten. */
  | { readonly kind: 'unfit'; readonly agentId: AgentId }
  /** A deployment has had long enough. */
  | { readonly kind: 'deadline'; readonly deploymentId: DeploymentId }
  /** Tasks that Mesos has not answered for. */
  | { readonly kind: 'reconcile-retry' }
  | { readonly kind: 'reconcile-all' }
  | { readonly kind: 'revive' }
  /** A new interval of the launch rate begins. */
  | { readonly kind: 'launch-tokens' };

/** Names a timer, whatever it carries. */
export type TimerRef =
  Exclude<Timer, { readonly kind: 'kill' }> | { readonly kind: 'kill'; readonly taskId: TaskId };

interface Entry {
  readonly at: number;
  readonly key: string;
  readonly timer: Timer;
}

/**
 * What has to be looked at when, so that a tick costs what is due. A binary heap; an entry that was replaced or
 * cancelled stays in it until its time comes and is skipped then.
 * INVARIANT: the heap holds the entry of every key in `#current`.
 */
export class Timers {
  readonly #heap: Entry[] = [];
  readonly #current = new Map<string, Entry>();

  /** Timers that are set. */
  get size(): number {
    return this.#current.size;
  }

  /** @param at milliseconds since 1970 */
  set(timer: Timer, at: number): void {
    const entry: Entry = { at, key: keyOf(timer), timer };
    this.#current.set(entry.key, entry);
    this.#heap.push(entry);
    this.#rise(this.#heap.length - 1);
  }

  has(timer: TimerRef): boolean {
    return this.#current.has(keyOf(timer));
  }

  cancel(timer: TimerRef): void {
    this.#current.delete(keyOf(timer));
  }

  /** Takes the next timer that is due, or undefined. */
  takeDue(now: number): Timer | undefined {
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.#removeTop();
      if (this.#current.get(top.key) !== top) continue;
      this.#current.delete(top.key);
      return top.timer;
    }
    return undefined;
  }

  #rise(start: number): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#at(parent) <= this.#at(index)) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const least = [left, left + 1].reduce(
        (best, child) => (this.#at(child) < this.#at(best) ? child : best),
        index,
      );
      if (least === index) return;
      this.#swap(least, index);
      index = least;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}

function keyOf(timer: TimerRef): string {
  switch (timer.kind) {
    case 'launch':
    case 'kill':
    case 'unreachable':
    case 'unknown':
      return `${timer.kind} ${timer.taskId}`;
    case 'anchor':
    case 'flip':
    case 'drain':
    case 'quarantine':
      return `${timer.kind} ${timer.slotId}`;
    case 'delay':
      return `${timer.kind} ${timer.key}`;
    case 'room':
      return `${timer.kind} ${timer.appId}`;
    case 'unfit':
      return `${timer.kind} ${timer.agentId}`;
    case 'deadline':
      return `${timer.kind} ${timer.deploymentId}`;
    case 'reconcile-retry':
    case 'reconcile-all':
    case 'revive':
    case 'launch-tokens':
      return timer.kind;
  }
}
