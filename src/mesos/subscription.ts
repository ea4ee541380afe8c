import { backoffMs, type BackoffOptions } from '../runtime/backoff.ts';

/**
 * What to do about a subscribed stream, as a pure state machine: each state says what the shell does next (wait,
 * connect, read, nothing), each input says how that went.
 */
export type SubscriptionState =
  /** Wait `delayMs`, then `waited`. */
  | (Position & { readonly kind: 'waiting'; readonly delayMs: number })
  /** Send SUBSCRIBE to `url`, then `opened`, `redirected`, `refused` or `failed`. */
  | (Position & { readonly kind: 'connecting'; readonly redirects: number })
  /** Read the stream of `url` to its end, telling `subscribed`, then `failed` or `fatal`. */
  | (Position & { readonly kind: 'open' })
  /** For good. */
  | { readonly kind: 'ended'; readonly outcome: SubscriptionOutcome };

interface Position {
  readonly url: string;
  /** Index in the list of addresses of the one to try next. */
  readonly next: number;
  /** Failures since the last time that it was subscribed. */
  readonly failures: number;
}

/** Why a subscription ended and must not be taken up again without its owner's decision. */
export type SubscriptionOutcome =
  | { readonly kind: 'stopped' }
  /** Another subscriber with our id has taken over: this one must stop acting. */
  | { readonly kind: 'failed-over'; readonly message: string }
  /** The id was torn down or its failover timeout passed: it is unusable and its tasks are gone. */
  | { readonly kind: 'removed'; readonly message: string }
  /** Refused for another reason, in Mesos's words. */
  | { readonly kind: 'error'; readonly message: string };

export type SubscriptionInput =
  | { readonly kind: 'waited' }
  | { readonly kind: 'opened' }
  /** The first event came: everything is well. */
  | { readonly kind: 'subscribed' }
  /** 307 with this Location. */
  | { readonly kind: 'redirected'; readonly location: string | undefined }
  /** Another answer than 200 and 307. */
  | { readonly kind: 'refused'; readonly status: number }
  /** No connection, the stream ended or broke, silence, a call that showed that the stream is no longer ours. */
  | { readonly kind: 'failed' }
  /** Another master leads: the addresses are new. */
  | { readonly kind: 'relocated' }
  | { readonly kind: 'fatal'; readonly outcome: SubscriptionOutcome };

export interface SubscriptionPolicy {
  /** URLs to try in turn, the best one first; none while no master is known. */
  readonly urls: readonly string[];
  readonly maxRedirects: number;
  /** After a failure to connect and after a stream that broke. */
  readonly retry: BackoffOptions;
  /** After an answer that says that our configuration is wrong: it will not change by itself soon. */
  readonly refusedRetry: BackoffOptions;
}

/** Answers that repeat until somebody changes the configuration. */
const configurationErrors: ReadonlySet<number> = new Set([400, 401, 403, 405, 406, 415]);

/** Where it begins: connecting to the first address at once; to `` where there is none, which fails. */
export function firstState(policy: SubscriptionPolicy): SubscriptionState {
  return { kind: 'connecting', url: policy.urls[0] ?? '', next: 1, failures: 0, redirects: 0 };
}

/**
 * The state after `input`. `random` gives numbers in [0, 1) for the jitter. An input that does not belong to the
 * state leaves it as it is.
 */
export function nextState(
  state: SubscriptionState,
  input: SubscriptionInput,
  policy: SubscriptionPolicy,
  random: () => number,
): SubscriptionState {
  if (state.kind === 'ended') return state;
  switch (input.kind) {
    case 'fatal':
      return { kind: 'ended', outcome: input.outcome };
    case 'relocated':
      return firstState(policy);
    case 'waited':
      return state.kind === 'waiting' ? { ...position(state), kind: 'connecting', redirects: 0 } : state;
    case 'opened':
      return state.kind === 'connecting' ? { ...position(state), kind: 'open' } : state;
    case 'subscribed':
      return state.kind === 'open' ? { ...state, failures: 0 } : state;
    case 'redirected':
      return state.kind === 'connecting' ? redirected(state, input.location, policy, random) : state;
    case 'refused': {
      const isOurs = configurationErrors.has(input.status);
      return retryElsewhere(state, isOurs ? policy.refusedRetry : policy.retry, policy, random);
    }
    case 'failed':
      return failed(state, policy, random);
  }
}

function redirected(
  state: SubscriptionState & { kind: 'connecting' },
  location: string | undefined,
  policy: SubscriptionPolicy,
  random: () => number,
): SubscriptionState {
  const url = location === undefined ? undefined : resolveLocation(location, state.url);
  if (url === undefined || state.redirects >= policy.maxRedirects) {
    return retryElsewhere(state, policy.retry, policy, random);
  }
  return { ...state, url, redirects: state.redirects + 1 };
}

/** A stream that worked is first taken up again where it was: mostly the network failed, not the master. */
function failed(
  state: Exclude<SubscriptionState, { kind: 'ended' }>,
  policy: SubscriptionPolicy,
  random: () => number,
): SubscriptionState {
  if (state.kind !== 'open' || state.failures > 0) return retryElsewhere(state, policy.retry, policy, random);
  const delayMs = backoffMs(policy.retry, 0, random);
  return { ...position(state), kind: 'waiting', failures: 1, delayMs };
}

function retryElsewhere(
  state: Exclude<SubscriptionState, { kind: 'ended' }>,
  backoff: BackoffOptions,
  policy: SubscriptionPolicy,
  random: () => number,
): SubscriptionState {
  const index = state.next % Math.max(1, policy.urls.length);
  return {
    kind: 'waiting',
    url: policy.urls[index] ?? state.url,
    next: index + 1,
    failures: state.failures + 1,
    delayMs: backoffMs(backoff, state.failures, random),
  };
}

function position({ url, next, failures }: Position): Position {
  return { url, next, failures };
}

/**
 * The URL of a Location header. Masters send `//host:port/path`, which keeps the scheme of the request; undefined
 * when it is no HTTP address.
 */
export function resolveLocation(location: string, requestUrl: string): string | undefined {
  if (!URL.canParse(location, requestUrl)) return undefined;
  const url = new URL(location, requestUrl);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
}

/** What an ERROR event means. Mesos tells only by its words. */
export function outcomeOf(message: string): SubscriptionOutcome {
  if (message.includes('Framework failed over')) return { kind: 'failed-over', message };
  if (message.includes('Framework has been removed')) return { kind: 'removed', message };
  return { kind: 'error', message };
}
