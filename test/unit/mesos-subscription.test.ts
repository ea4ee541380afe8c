import { describe, expect, test } from '@jest/globals';
import {
  firstState,
  nextState,
  resolveLocation,
  type SubscriptionInput,
  type SubscriptionPolicy,
  type SubscriptionState,
} from '../../src/mesos/subscription.ts';

const policy: SubscriptionPolicy = {
  urls: ['http://a/api', 'http://b/api'],
  maxRedirects: 3,
  retry: { baseMs: 500, maxMs: 15_000, factor: 2 },
  refusedRetry: { baseMs: 10_000, maxMs: 60_000, factor: 2 },
};
const latest = (): number => 1 - Number.EPSILON;

function after(inputs: readonly SubscriptionInput[], start = firstState(policy)): SubscriptionState {
  return inputs.reduce((state, input) => nextState(state, input, policy, latest), start);
}
const failed: SubscriptionInput = { kind: 'failed' };
const waited: SubscriptionInput = { kind: 'waited' };
const opened: SubscriptionInput = { kind: 'opened' };
const subscribed: SubscriptionInput = { kind: 'subscribed' };
const redirected = (location?: string): SubscriptionInput => ({ kind: 'redirected', location });

describe('a subscription', () => {
  test('begins at the first address at once', () => {
    expect(firstState(policy)).toMatchObject({ kind: 'connecting', url: 'http://a/api' });
  });

  test('tries the addresses in turn, waiting longer each time, up to the bound', () => {
    const seen: [string, number][] = [];
    let state = firstState(policy);
    for (let attempt = 0; attempt < 7; attempt += 1) {
      state = nextState(state, failed, policy, latest);
      if (state.kind === 'waiting') seen.push([state.url, state.delayMs]);
      state = nextState(state, waited, policy, latest);
    }
    expect(seen).toEqual([
      ['http://b/api', 500],
      ['http://a/api', 1000],
      ['http://b/api', 2000],
      ['http://a/api', 4000],
      ['http://b/api', 8000],
      ['http://a/api', 15_000],
      ['http://b/api', 15_000],
    ]);
  });

  test('a stream that worked is taken up again where it was, soon', () => {
    const leader = 'http://leader:5050/master/api';
    const state = after([redirected(leader), opened, subscribed, failed]);
    expect(state).toMatchObject({ kind: 'waiting', url: leader, delayMs: 500, failures: 1 });
    expect(after([waited, failed], state)).toMatchObject({ url: 'http://b/api', failures: 2 });
  });

  test('when another master leads, its address is tried at once, from whatever state', () => {
    const moved = { ...policy, urls: ['http://c/api'] };
    const found = { kind: 'connecting', url: 'http://c/api', failures: 0 };
    for (const state of [after([]), after([failed]), after([opened, subscribed])]) {
      expect(nextState(state, { kind: 'relocated' }, moved, latest)).toMatchObject(found);
    }
  });

  test('while no master is known it waits, longer each time, for one to be found', () => {
    const none = { ...policy, urls: [] };
    const waiting = nextState(firstState(none), failed, none, latest);
    expect(waiting).toMatchObject({ kind: 'waiting', url: '', delayMs: 500 });
    const connecting = nextState(waiting, waited, none, latest);
    expect(nextState(connecting, failed, policy, latest)).toMatchObject({ kind: 'waiting', delayMs: 1000 });
  });

  test('a stream that never said SUBSCRIBED counts as a failure', () => {
    expect(after([failed, waited, opened, failed])).toMatchObject({ failures: 2, url: 'http://a/api' });
  });

  test('follows three redirects and then tries elsewhere', () => {
    const hops = [redirected('//x/1'), redirected('//x/2'), redirected('//x/3')];
    expect(after(hops)).toMatchObject({ kind: 'connecting', url: 'http://x/3', redirects: 3 });
    expect(after([...hops, redirected('//x/4')])).toMatchObject({ kind: 'waiting', url: 'http://b/api' });
  });

  test.each([undefined, 'ftp://x/', 'http://['])('a redirect to %s is a failure', (location) => {
    expect(after([redirected(location)])).toMatchObject({ kind: 'waiting', failures: 1 });
  });

  test.each([400, 401, 403, 405, 406, 415])('an answer %d is tried again slowly', (status) => {
    expect(after([{ kind: 'refused', status }])).toMatchObject({ kind: 'waiting', delayMs: 10_000 });
  });

  test.each([404, 500, 503])('an answer %d is tried again soon', (status) => {
    expect(after([{ kind: 'refused', status }])).toMatchObject({ kind: 'waiting', delayMs: 500 });
  });

  test('the delay has jitter', () => {
    expect(nextState(firstState(policy), failed, policy, () => 0)).toMatchObject({ delayMs: 250 });
  });

  test('a fatal event ends it for good', () => {
    const outcome = { kind: 'removed' as const, message: 'Framework has been removed' };
    const ended = after([opened, { kind: 'fatal', outcome }]);
    expect(ended).toEqual({ kind: 'ended', outcome });
    expect(after([failed, waited, opened], ended)).toBe(ended);
  });

  test('an input that does not belong to the state changes nothing', () => {
    const waiting = after([failed]);
    expect(after([opened, subscribed, redirected('//x/')], waiting)).toBe(waiting);
    const connecting = firstState(policy);
    expect(after([waited, subscribed], connecting)).toBe(connecting);
  });
});

test('a Location without scheme keeps that of the request, IPv6 included', () => {
  expect(resolveLocation('//[::1]:5050/m', 'https://a/api')).toBe('https://[::1]:5050/m');
  expect(resolveLocation('/master/api', 'http://a:1/api')).toBe('http://a:1/master/api');
});
