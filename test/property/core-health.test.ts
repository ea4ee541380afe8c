import { array, assert, constantFrom, integer, nat, property, record } from 'fast-check';
import { expect, test } from '@jest/globals';
import { healthKillLimit } from '../../scheduler/core/slots/health.ts';
import type { CheckResult } from '../../src/model/health.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';

const check = {
  protocol: 'TCP' as const,
  port: 80,
  gracePeriodSeconds: 0,
  intervalSeconds: 1,
  timeoutSeconds: 1,
  maxConsecutiveFailures: 1,
  delaySeconds: 0,
  ignoreHttp1xx: false,
};
const well: CheckResult = { alive: true, consecutiveFailures: 0, exhausted: false, firstSuccess: 1 };
const sick: CheckResult = { ...well, alive: false, consecutiveFailures: 1, exhausted: true };

/** What happens next, to the instance with this number. */
const happening = record({
  what: constantFrom('well', 'sick', 'dies', 'offers', 'time', 'restart'),
  who: nat(),
});

/** Slots whose active incarnation runs and is not being ended. */
const serving = (bench: CoreBench): number =>
  [...bench.world.slots.values()].filter((slot) =>
    bench
      .instances('/web', slot.index)
      .some(
        ({ epoch, goal, condition }) =>
          epoch === slot.activeEpoch && goal === 'run' && condition === 'running',
      ),
  ).length;

test('health kills never take more than the limit out of service, and all recover when they are well', () => {
  assert(
    property(
      integer({ min: 1, max: 8 }),
      constantFrom(0, 0.3, 0.5, 1),
      array(happening, { maxLength: 60 }),
      (instances, minimumHealthCapacity, happenings) => {
        const upgradeStrategy = { minimumHealthCapacity, maximumOverCapacity: 0 };
        const app = anApp('/web', { instances, upgradeStrategy, healthChecks: [check] });
        const bench = new CoreBench();
        bench.deploy(app);
        for (const instance of bench.instances('/web')) tell(bench, instance.taskId, well);
        for (const { what, who } of happenings) {
          happen(bench, what, who);
          expect(serving(bench)).toBeGreaterThanOrEqual(instances - healthKillLimit(app));
        }
        for (let round = 0; round < 3 * instances; round++) recover(bench);
        expect(bench.instances('/web')).toHaveLength(instances);
        expect(bench.world.progress.get(app.id)).toMatchObject({ ailing: 0, ready: instances });
      },
    ),
    { numRuns: 150 },
  );
});

function tell(bench: CoreBench, taskId: Parameters<CoreBench['status']>[0], result: CheckResult): void {
  bench.status(taskId, 'running', { healthy: result.alive, checkResults: [result] });
}

/** Only what was ended dies, so that whatever is missing is missing for its health. */
function happen(bench: CoreBench, what: string, who: number): void {
  const all = bench.instances('/web');
  const one = all[who % Math.max(1, all.length)];
  if (what === 'offers') bench.run(bench.offer('a1', 'a2', 'a3'));
  else if (what === 'time') bench.wait(5);
  else if (what === 'restart') bench.restart();
  else if (one === undefined) return;
  else if (what === 'dies' && one.goal === 'stop') bench.status(one, 'killed');
  else if (one.goal === 'run' && one.condition === 'running')
    tell(bench, one.taskId, what === 'sick' ? sick : well);
}

function recover(bench: CoreBench): void {
  for (const { taskId, goal } of bench.instances('/web')) {
    if (goal === 'stop') bench.status(taskId, 'killed');
    else tell(bench, taskId, well);
  }
  bench.wait(300);
  bench.run(bench.offer('a1', 'a2', 'a3'));
}
