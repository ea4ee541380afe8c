/**
 * Cookies say whose a flow is: `[round 16 | category 8 | 0 8 | object 32]`. The round counts full
 * re-installations, the category says what the flow is for (or why it drops), the object names the endpoint,
 * address or network that it belongs to.
 */
const category = {
  base: 1,
  endpointLocal: 2,
  endpointRemote: 3,
  service: 7,
  handover: 8,
  gateway: 9,
  traffic: 0x20,
} as const;

/** Why a flow drops; the counters of these flows are the drop statistics of the fabric. */
export type DropReason =
  | 'unknown-port'
  | 'tagged'
  | 'unknown-network'
  | 'fenced'
  | 'spoofed'
  | 'unsupported-protocol'
  | 'own-address'
  | 'unanswered-arp'
  | 'multicast'
  | 'unknown-destination'
  | 'not-routed'
  | 'unknown-connection';

/** Categories 0x80 and up are drops. The numbers are part of what a running switch holds: add, never renumber. */
const dropCategory: Readonly<Record<DropReason, number>> = {
  'unknown-port': 0x80,
  tagged: 0x81,
  'unknown-network': 0x82,
  fenced: 0x83,
  spoofed: 0x84,
  'unsupported-protocol': 0x85,
  'own-address': 0x86,
  'unanswered-arp': 0x87,
  multicast: 0x88,
  'unknown-destination': 0x89,
  'not-routed': 0x8a,
  'unknown-connection': 0x8b,
};

/** Whether a text names a reason for drops. */
export const isDropReason = (text: string): text is DropReason => Object.hasOwn(dropCategory, text);

const dropReasons: ReadonlyMap<number, DropReason> = new Map(
  Object.keys(dropCategory)
    .filter(isDropReason)
    .map((reason) => [dropCategory[reason], reason]),
);

/** What a flow that does not drop is for. */
export type Purpose = keyof typeof category;

/** What a flow is for, or why it drops. */
export type FlowPurpose = Purpose | DropReason;

/** The rounds wrap here; a round is 1 … 65535, so that no flow of ours has the cookie 0 of a stranger's. */
const maxRound = 0xffff;

/** The round after `round`: 1 … 65535, starting over at the end. */
export const nextRound = (round: number): number => (round >= maxRound ? 1 : round + 1);

/**
 * Stable 32-bit number of an object's key (FNV-1a), never 0: that is the object of flows that belong to the whole
 * switch. Two keys may share a number (about one pair in 20,000 objects): good for counters, not for identity.
 */
export function objectNumber(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  }
  return hash === 0 ? 1 : hash >>> 0;
}

/** The cookie of a flow. `object` is a 32-bit number; 0 for the whole switch. */
export function cookieOf(round: number, purpose: FlowPurpose, object: number): bigint {
  // The upper half fits in a double, so only two bigints are made for each flow.
  const upper = round * 0x10000 + purposeNumber(purpose) * 0x100;
  return (BigInt(upper) << 32n) | BigInt(object);
}

const purposes: ReadonlyMap<number, Purpose> = new Map(
  Object.keys(category)
    .filter((name): name is Purpose => name in category)
    .map((name) => [category[name], name]),
);

/** What a cookie says. `dropReason` is absent for a flow that does not drop. */
export interface CookieParts {
  readonly round: number;
  readonly category: number;
  readonly object: number;
  readonly dropReason?: DropReason;
  /** Absent for a flow that drops, and for one of another build. */
  readonly purpose?: Purpose;
}

/** Takes a cookie apart, for counters and for finding flows of an earlier round. */
export function cookieParts(cookie: bigint): CookieParts {
  const number = Number((cookie >> 40n) & 0xffn);
  return {
    round: Number((cookie >> 48n) & 0xffffn),
    category: number,
    object: Number(cookie & 0xffffffffn),
    ...partsOfCategory(number),
  };
}

/** What the category of a cookie says. */
export function partsOfCategory(number: number): Pick<CookieParts, 'dropReason' | 'purpose'> {
  const dropReason = dropReasons.get(number);
  const purpose = purposes.get(number);
  return {
    ...(dropReason === undefined ? {} : { dropReason }),
    ...(purpose === undefined ? {} : { purpose }),
  };
}

/** Under this mask a cookie says only what its flow is for, or why it drops. */
export const purposeMask = 0xff00_0000_0000n;

/** The bit that the cookies of all flows that drop for a reason have, and no others. */
export const dropBit = 0x8000_0000_0000n;

function purposeNumber(purpose: FlowPurpose): number {
  return isDropReason(purpose) ? dropCategory[purpose] : category[purpose];
}
