import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { readLaunch } from '../../executor/core/tasks/desired.ts';
import { nextWake, plan } from '../../executor/core/tasks/plan.ts';
import { changeOf, isTerminalState, reportOf, type TaskReport } from '../../executor/core/tasks/status.ts';
import { reduce, type TaskEvent } from '../../executor/core/tasks/events.ts';
import { isGone, newRecord, type StepKind, type TaskRecord } from '../../executor/core/tasks/record.ts';
import { taskInfo, taskSpec } from '../support/executor-tasks.ts';

/** A move of the world: a step under way ends, or something happens from outside. */
const move = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('end' as const), pick: fc.nat(9), good: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), graceMs: fc.nat(3000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('exit' as const), code: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'sandbox-lost' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'port-lost' as const }) },
);
type Move = typeof move extends fc.Arbitrary<infer T> ? T : never;

/** A task and what Docker would hold for it, driven as TaskRunner drives it. */
class World {
  record: TaskRecord;
  now = 1_700_000_000_000;
  appRuns = false;
  readonly history: StepKind[] = [];
  readonly reports: TaskReport[] = [];

  constructor(host: boolean) {
    const launch = readLaunch(taskInfo(taskSpec(host ? { network: { mode: 'host' } } : {})));
    if (launch.kind === 'refused') throw new Error(launch.message);
    this.record = newRecord(launch.task, this.now);
    this.#tell();
    this.#begin();
  }

  apply(each: Move): void {
    switch (each.kind) {
      case 'end':
        return this.#end(each.pick, each.good > 0);
      case 'kill':
        return this.#handle({ kind: 'kill', graceMs: each.graceMs, at: this.now });
      case 'exit':
        return this.exit(each.code);
      case 'sandbox-lost':
        return this.#handle({ kind: 'sandbox-lost' });
      case 'port-lost':
        return this.#handle({ kind: 'port-lost', reason: 'x' });
    }
  }

  exit(code: number): void {
    if (!this.appRuns) return;
    this.appRuns = false;
    this.#handle({ kind: 'app-exited', exitCode: code, oomKilled: false });
  }

  /** Lets time pass until the plan wants something. */
  wait(): void {
    this.now = nextWake(this.record, this.now) ?? this.now;
    this.#begin();
  }

  #end(pick: number, good: boolean): void {
    const steps = [...this.record.underWay];
    const step = steps[pick % Math.max(1, steps.length)];
    if (step === undefined) return this.wait();
    this.history.push(step);
    if (!good) {
      return this.#handle({
        kind: 'step-failed',
        step,
        failure: { message: `${step} failed` },
        at: this.now,
      });
    }
    if (step === 'start-app') this.appRuns = true;
    this.#handle({ kind: 'step-done', step, tookMs: 1, at: this.now, outcome: { pid: 5 } });
    if (step === 'kill-app') this.exit(137);
  }

  #handle(event: TaskEvent): void {
    this.record = reduce(this.record, event);
    this.#tell();
    this.#begin();
  }

  #tell(): void {
    const report = reportOf(this.record);
    if (changeOf(this.reports.at(-1), report) !== 'none') this.reports.push(report);
  }

  #begin(): void {
    for (const { kind } of plan(this.record, this.now)) {
      expect(this.record.underWay.has(kind)).toBe(false);
      this.record = reduce(this.record, { kind: 'step-began', step: kind });
    }
  }
}

test('whatever happens, a task that is killed ends once and leaves nothing', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(move, { maxLength: 60 }), (host, moves) => {
      const world = new World(host);
      for (const each of moves) world.apply(each);
      world.apply({ kind: 'kill', graceMs: 10 });
      for (let round = 0; round < 60 && !isGone(world.record); round += 1) {
        world.apply({ kind: 'end', pick: 0, good: 1 });
      }
      expect(isGone(world.record)).toBe(true);
      expect(world.appRuns).toBe(false);
      expect(world.reports.filter(({ state }) => isTerminalState(state))).toHaveLength(1);
      expect(isTerminalState(world.reports.at(-1)!.state)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('an app never starts before its network is ready, and its containers go after its port', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const world = new World(false);
      for (const each of moves) world.apply(each);
      const at = (step: StepKind) => world.history.indexOf(step);
      if (at('start-app') !== -1) expect(at('await-converged')).toBeGreaterThan(at('attach'));
      if (at('start-app') !== -1) expect(at('start-app')).toBeGreaterThan(at('await-converged'));
      if (at('remove-sandbox') !== -1) expect(at('remove-sandbox')).toBeGreaterThan(at('detach'));
    }),
    { numRuns: 1000 },
  );
});

test('no terminal state is told while the process of the app runs', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(move, { maxLength: 60 }), (host, moves) => {
      const world = new World(host);
      for (const each of moves) {
        world.apply(each);
        if (world.appRuns) expect(isTerminalState(reportOf(world.record).state)).toBe(false);
      }
    }),
    { numRuns: 1000 },
  );
});
