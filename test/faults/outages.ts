/** The longest time without an answer, in milliseconds, and whose it was. */
export interface Outage {
  readonly ms: number;
  readonly address: string;
}

/** Of each address, when it last answered, and the longest gap since the beginning of the period. */
export interface Answers {
  readonly since: number;
  readonly last: ReadonlyMap<string, number>;
  readonly longest: Outage;
}

const none: Outage = { ms: 0, address: '' };

/** A period begins: what was before counts for nothing. */
export const newPeriod = (now: number): Answers => ({ since: now, last: new Map(), longest: none });

/** The address answered. */
export function answered(answers: Answers, address: string, at: number): Answers {
  const gap = gapOf(answers, address, at);
  return { ...answers, last: new Map(answers.last).set(address, at), longest: longer(answers.longest, gap) };
}

/** The client itself was away and has just come back: what it did not see is not counted. */
export const blindUntil = (answers: Answers, now: number): Answers => ({
  ...answers,
  since: now,
  last: new Map(),
});

/** The longest outage of these addresses up to now; one that never answered was away all the time. */
export function longestOutage(answers: Answers, addresses: readonly string[], now: number): Outage {
  return addresses.map((address) => gapOf(answers, address, now)).reduce(longer, answers.longest);
}

const gapOf = ({ since, last }: Answers, address: string, at: number): Outage => ({
  address,
  ms: Math.max(0, at - (last.get(address) ?? since)),
});

const longer = (one: Outage, other: Outage): Outage => (other.ms > one.ms ? other : one);
