/**
 * What can go wrong, with how often it is chosen, what it happens to, and how long it lasts, in milliseconds. With
 * several schedulers `scheduler` is the one that leads; `needs: 'standby'` are those that make sense only then.
 */
const catalogue = {
  'scheduler-kill': { weight: 5, target: 'scheduler', hold: [0, 1_500] },
  'scheduler-kill-in-step': { weight: 10, target: 'scheduler', hold: [0, 1_500], inStep: true },
  'scheduler-pause': { weight: 3, target: 'scheduler', hold: [500, 2_500] },
  'leader-kill': { weight: 6, target: 'scheduler', hold: [5_000, 8_000], needs: 'standby' },
  'leader-pause': { weight: 6, target: 'scheduler', hold: [5_000, 8_000], needs: 'standby' },
  'leader-isolated': { weight: 6, target: 'scheduler', hold: [5_000, 8_000], needs: 'standby' },
  'leader-abdicates': { weight: 2, target: 'scheduler', hold: [0, 0], needs: 'standby' },
  'zookeeper-kill': { weight: 5, target: 'zookeeper', hold: [0, 6_000], needs: 'standby' },
  'zookeeper-pause': { weight: 4, target: 'zookeeper', hold: [500, 6_000], needs: 'standby' },
  'zookeeper-cut': { weight: 4, target: 'zookeeper', hold: [0, 2_500], needs: 'standby' },
  'zookeeper-delay': { weight: 4, target: 'zookeeper', hold: [300, 1_500], needs: 'standby' },
  'scheduler-stream-cut': { weight: 4, target: 'mesos', hold: [0, 0] },
  'master-failover': { weight: 5, target: 'mesos', hold: [0, 0] },
  'kill-lost': { weight: 2, target: 'mesos', hold: [0, 0] },
  'acknowledgement-lost': { weight: 2, target: 'mesos', hold: [0, 0] },
  'launch-lost': { weight: 1, target: 'mesos', hold: [0, 0] },
  'update-twice': { weight: 3, target: 'mesos', hold: [0, 0] },
  'agent-restart': { weight: 6, target: 'host', hold: [0, 1_500] },
  'agent-delay': { weight: 4, target: 'host', hold: [300, 3_000] },
  'host-cut-short': { weight: 4, target: 'host', hold: [500, 3_000] },
  'host-cut-long': { weight: 3, target: 'host', hold: [8_000, 10_000] },
  'host-isolated': { weight: 2, target: 'host', hold: [8_000, 10_000] },
  'host-power': { weight: 3, target: 'host', hold: [500, 9_000] },
  'executor-kill': { weight: 8, target: 'host', hold: [0, 0] },
  'executor-pause': { weight: 4, target: 'host', hold: [500, 6_000] },
  'docker-restart': { weight: 4, target: 'docker', hold: [0, 1_000] },
  'docker-pause': { weight: 2, target: 'docker', hold: [500, 5_000] },
  'switch-kill': { weight: 6, target: 'host', hold: [0, 1_000] },
  'switch-pause': { weight: 3, target: 'host', hold: [500, 4_000] },
  'database-kill': { weight: 3, target: 'host', hold: [0, 500] },
  'database-loss': { weight: 2, target: 'host', hold: [0, 0] },
  'app-kill': { weight: 8, target: 'host', hold: [0, 0] },
  'sandbox-kill': { weight: 6, target: 'host', hold: [0, 0] },
  'veth-delete': { weight: 4, target: 'host', hold: [0, 0] },
  'foreign-flow': { weight: 2, target: 'host', hold: [0, 0] },
  'foreign-port': { weight: 2, target: 'host', hold: [0, 0] },
} as const satisfies Record<string, Entry>;

interface Entry {
  readonly weight: number;
  readonly target: 'scheduler' | 'zookeeper' | 'mesos' | 'docker' | 'host';
  readonly hold: readonly [number, number];
  /** It happens in the middle of a redeploy, right after one of its events. */
  readonly inStep?: true;
  readonly needs?: 'standby';
}

export type FaultKind = keyof typeof catalogue;

export const faultKinds = Object.keys(catalogue) as readonly FaultKind[];

/** The kinds that make sense on a cluster that has these things. */
export const kindsFor = (has: { readonly standby: boolean; readonly ownDocker: boolean }): FaultKind[] =>
  faultKinds.filter((kind) => {
    const { needs, target }: Entry = catalogue[kind];
    return (needs === undefined || has.standby) && (target !== 'docker' || has.ownDocker);
  });

/** One fault. Those with the same target happen one after the other, others at the same time. */
export interface Fault {
  readonly kind: FaultKind;
  /** `scheduler`, `zookeeper`, `mesos`, `docker`, or the name of a host. */
  readonly target: string;
  /** When it begins, after the change of the round was sent. */
  readonly afterMs: number;
  /** It begins after that many events of the deployment instead. */
  readonly afterEvents?: number;
  readonly holdMs: number;
}

/** What somebody asks of the API while things go wrong. Every one may be asked twice. */
export type Change =
  | { readonly kind: 'redeploy'; readonly app: string; readonly round: string }
  | { readonly kind: 'scale'; readonly app: string; readonly instances: number }
  | { readonly kind: 'create' | 'remove'; readonly app: string };

/** A change, faults in the middle of it, then time to recover. */
export interface Round {
  readonly change: Change | undefined;
  readonly faults: readonly Fault[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly faults: number;
  /** Hosts that may be hurt. */
  readonly hosts: readonly string[];
  /** Kinds to choose from; all unless told. */
  readonly kinds?: readonly FaultKind[];
}

/** The same numbers in [0, 1) for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rounds with exactly that many faults in all; the same options give the same rounds. */
export function planRounds({ seed, faults, hosts, kinds = faultKinds }: PlanOptions): readonly Round[] {
  const random = randomFrom(seed);
  const rounds: Round[] = [];
  for (let left = faults; left > 0;) {
    const count = Math.min(left, random() < 0.4 ? 1 : 2 + Math.floor(random() * 4));
    const change = planChange(random, rounds.length);
    const planned = Array.from({ length: count }, () => planFault(random, hosts, kinds));
    const inStep = planned.some(({ afterEvents }) => afterEvents !== undefined);
    rounds.push({ change: inStep ? redeployOf('/web', rounds.length) : change, faults: planned });
    left -= count;
  }
  return rounds;
}

/** A redeploy of three instances publishes some twenty events. */
const maxStepEvents = 20;

function planFault(random: () => number, hosts: readonly string[], kinds: readonly FaultKind[]): Fault {
  const kind = chooseKind(random, kinds);
  const { target, hold, inStep }: Entry = catalogue[kind];
  const host = hosts[Math.floor(random() * hosts.length)] ?? '';
  const at = random();
  return {
    kind,
    target: target === 'host' ? host : target,
    afterMs: inStep ? 0 : Math.floor(at * 2_500),
    ...(inStep ? { afterEvents: 1 + Math.floor(at * maxStepEvents) } : {}),
    holdMs: Math.floor(hold[0] + random() * (hold[1] - hold[0])),
  };
}

function chooseKind(random: () => number, kinds: readonly FaultKind[]): FaultKind {
  let at = random() * kinds.reduce((sum, kind) => sum + catalogue[kind].weight, 0);
  for (const kind of kinds) {
    at -= catalogue[kind].weight;
    if (at < 0) return kind;
  }
  return kinds[kinds.length - 1]!;
}

function planChange(random: () => number, index: number): Change | undefined {
  const at = random();
  const which = random();
  if (at < 0.35) return redeployOf(which < 0.6 ? '/web' : '/api', index);
  if (at < 0.55) return { kind: 'scale', app: '/api', instances: 2 + Math.floor(which * 3) };
  if (at < 0.75) return { kind: which < 0.5 ? 'create' : 'remove', app: '/spare' };
  return undefined;
}

const redeployOf = (app: string, index: number): Change => ({
  kind: 'redeploy',
  app,
  round: String(index + 1),
});
