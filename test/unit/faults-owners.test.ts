import { expect, test } from '@jest/globals';
import { afterOwner, leaderFindings, noOwners } from '../faults/owners.ts';

test('each leader takes the right to write from the one before it, and keeps it', () => {
  const owners = ['a', 'a', 'b', 'b', 'c'].reduce(afterOwner, noOwners);
  expect(owners).toEqual({ seen: ['a', 'b', 'c'], problems: [] });
});

test('a leader that writes after it was replaced is found', () => {
  expect(['a', 'b', 'a', 'b'].reduce(afterOwner, noOwners).problems).toEqual([
    'the leader that had epoch 1 writes again after 1 others',
    'the leader that had epoch 2 writes again after 2 others',
  ]);
});

test('all schedulers are to name the same leader', () => {
  expect(
    leaderFindings(
      new Map([
        ['a', 'x'],
        ['b', 'x'],
      ]),
    ),
  ).toEqual([]);
  expect(
    leaderFindings(
      new Map([
        ['a', 'x'],
        ['b', 'y'],
      ]),
    ),
  ).toEqual(['a says that x leads', 'b says that y leads']);
  expect(leaderFindings(new Map([['a', undefined]]))).toEqual(['a says that nobody leads']);
});
