import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { figuresTable } from '../faults/figures.ts';
import { answered, blindUntil, longestOutage, newPeriod } from '../faults/outages.ts';
import { faultKinds, kindsFor, planRounds, type Change } from '../faults/plan.ts';
import { afterChange, afterLook, writesLost, type AppConfig, type Expectations } from '../faults/writes.ts';

const hosts = ['h1', 'h2', 'h3'];

test('the same seed gives the same rounds, another seed others', () => {
  const plan = (seed: number) => planRounds({ seed, faults: 50, hosts });
  expect(plan(7)).toEqual(plan(7));
  expect(plan(7)).not.toEqual(plan(8));
});

test('there are exactly as many faults as asked for, of the kinds and on the hosts that are allowed', () => {
  const kinds = fc.uniqueArray(fc.constantFrom(...faultKinds), { minLength: 1 });
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), kinds, (seed, faults, allowed) => {
      const planned = planRounds({ seed, faults, hosts, kinds: allowed }).flatMap((round) => round.faults);
      expect(planned).toHaveLength(faults);
      for (const { kind, target, holdMs } of planned) {
        expect(allowed).toContain(kind);
        expect([...hosts, 'scheduler', 'zookeeper', 'mesos', 'docker']).toContain(target);
        expect(holdMs).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test('a long run has every kind of fault and every kind of change', () => {
  const rounds = planRounds({ seed: 1, faults: 1_000, hosts });
  const kinds = new Set(rounds.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  expect([...kinds].toSorted()).toEqual([...faultKinds].toSorted());
  const changes = new Set(rounds.map(({ change }) => change?.kind));
  expect(changes).toEqual(new Set([undefined, 'redeploy', 'scale', 'create', 'remove']));
});

test('who is to die in a step of a redeploy has a redeploy to die in', () => {
  const kinds = ['scheduler-kill-in-step', 'app-kill'] as const;
  const rounds = planRounds({ seed: 3, faults: 200, hosts, kinds });
  const inStep = rounds.filter(({ faults }) => faults.some(({ afterEvents }) => afterEvents !== undefined));
  const moments = new Set(
    inStep.flatMap(({ faults }) => faults.flatMap(({ afterEvents }) => afterEvents ?? [])),
  );
  expect(new Set(inStep.map(({ change }) => change?.kind))).toEqual(new Set(['redeploy']));
  expect([...moments].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
});

test('what a cluster has not cannot be broken there', () => {
  const alone = kindsFor({ standby: false, ownDocker: false });
  expect(alone).toContain('scheduler-kill');
  expect(alone.filter((kind) => /^(leader|zookeeper|docker)-/.test(kind))).toEqual([]);
  expect(kindsFor({ standby: true, ownDocker: true })).toEqual(faultKinds);
});

const web = { instances: 3, round: '0' };
const redeploy: Change = { kind: 'redeploy', app: '/web', round: '5' };
const seen = (config: AppConfig) => new Map(config === undefined ? [] : [['/web', config]]);
const start: Expectations = new Map([['/web', [web]]]);

test('a change that was acknowledged must be there', () => {
  const expected = afterChange(start, redeploy, 'acknowledged');
  expect(writesLost(expected, seen({ ...web, round: '5' }))).toEqual([]);
  expect(writesLost(expected, seen(web))).toEqual(['/web is round 0 × 3, not round 5 × 3']);
  expect(writesLost(expected, seen(undefined))).toEqual(['/web is absent, not round 5 × 3']);
});

test('a change that nobody answered may be there, until it was looked at', () => {
  const expected = afterChange(start, redeploy, 'unknown');
  expect(writesLost(expected, seen(web))).toEqual([]);
  expect(writesLost(expected, seen({ ...web, round: '5' }))).toEqual([]);
  expect(writesLost(expected, seen({ ...web, round: '4' }))).toHaveLength(1);
  const looked = afterLook(expected, seen(web));
  expect(writesLost(looked, seen({ ...web, round: '5' }))).toHaveLength(1);
});

test('an app that was removed must not be there, and nobody else either', () => {
  const created = afterChange(start, { kind: 'create', app: '/spare' }, 'acknowledged');
  const removed = afterChange(created, { kind: 'remove', app: '/spare' }, 'acknowledged');
  const both = new Map([...seen(web), ['/spare', { instances: 1, round: '0' }]]);
  expect(writesLost(created, both)).toEqual([]);
  expect(writesLost(removed, both)).toEqual(['/spare is round 0 × 1, not absent']);
  expect(writesLost(start, both)).toEqual(['/spare is there, nobody asked for it']);
});

test('an outage is the longest time between two answers, the one that goes on included', () => {
  let answers = newPeriod(0);
  for (const [ip, at] of [
    ['a', 100],
    ['b', 150],
    ['a', 900],
    ['a', 1_000],
  ] as const)
    answers = answered(answers, ip, at);
  expect(longestOutage(answers, ['a', 'b'], 1_000)).toEqual({ address: 'b', ms: 850 });
  expect(longestOutage(answers, ['a'], 1_000)).toEqual({ address: 'a', ms: 800 });
  expect(longestOutage(answers, ['a', 'c'], 1_000)).toEqual({ address: 'c', ms: 1_000 });
});

test('what a client that was away did not see is not counted', () => {
  const answers = blindUntil(answered(newPeriod(0), 'a', 100), 5_000);
  expect(longestOutage(answers, ['a'], 5_300)).toEqual({ address: 'a', ms: 300 });
});

test('the table of figures names each kind once, the slowest first', () => {
  const table = figuresTable([
    { kind: 'app-kill', recoveryMs: 1_000, outageMs: 900 },
    { kind: 'host-power', recoveryMs: 9_000, outageMs: 7_000 },
    { kind: 'app-kill', recoveryMs: 3_000, outageMs: 400 },
  ]);
  expect(table.split('\n').slice(1)).toEqual([
    'host-power | 1 | 9.0 s | 9.0 s | 7.0 s',
    'app-kill | 2 | 1.0 s | 3.0 s | 0.9 s',
  ]);
});
