import { expect, test } from '@jest/globals';
import {
  afterEvent,
  afterRefresh,
  emptyEventLog,
  eventFindings,
  type SeenEvent,
} from '../faults/event-log.ts';

const logOf = (events: readonly SeenEvent[]) => events.reduce(afterEvent, emptyEventLog);
const runs = (id: string, task: string): SeenEvent => ({
  id,
  type: 'status_update_event',
  task: { id: task, state: 'TASK_RUNNING' },
});

test('a client that was told of every task has nothing wrong, in this term and the next', () => {
  const log = logOf([runs('1-1', 'a'), { id: '1-9', type: 'x' }, runs('2-1', 'b')]);
  expect(eventFindings(log, ['a', 'b'])).toEqual([]);
});

test('an event that comes twice, or out of turn, is found', () => {
  expect(eventFindings(logOf([runs('1-1', 'a'), runs('1-1', 'a')]), ['a'])).toEqual([
    'event 1-1 came after event 1-1',
  ]);
  expect(eventFindings(logOf([runs('2-1', 'a'), runs('1-5', 'a')]), ['a'])).toHaveLength(1);
});

test('a task that nobody told of is found, unless it was told that events are lost', () => {
  expect(eventFindings(logOf([runs('1-1', 'a')]), ['a', 'b'])).toEqual(['no event told that b runs']);
  const missed = logOf([runs('1-1', 'a'), { type: 'events_missed_event' }]);
  expect(eventFindings(missed, ['a', 'b'])).toEqual([]);
  expect(eventFindings(afterRefresh(missed, ['a', 'b']), ['a', 'b', 'c'])).toEqual([
    'no event told that c runs',
  ]);
});
