import { describe, expect, test } from '@jest/globals';
import { attemptOrder } from '../../src/zookeeper/attempt-order.ts';

const servers = ['a', 'b', 'c'];

describe('the order in which servers are tried', () => {
  test('begins anywhere and has each of them once', () => {
    expect(attemptOrder(servers, undefined, () => 0)).toEqual(['a', 'b', 'c']);
    expect(attemptOrder(servers, undefined, () => 0.99)).toEqual(['c', 'a', 'b']);
  });

  test('has the one that was lost at its end, wherever it begins', () => {
    expect(attemptOrder(servers, 'b', () => 0)).toEqual(['a', 'c', 'b']);
    expect(attemptOrder(servers, 'b', () => 0.99)).toEqual(['c', 'a', 'b']);
  });

  test('is the only one again when there is no other', () => {
    expect(attemptOrder(['a'], 'a', () => 0.5)).toEqual(['a']);
  });
});
