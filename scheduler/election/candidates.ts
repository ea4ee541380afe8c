import { z } from 'zod';

/** A scheduler as the others know it. */
export interface Candidate {
  /** `host:port`, Marathon's id of a scheduler. */
  readonly id: string;
  /** Where its API can be reached. */
  readonly url: string;
  /** By which the others vouch for clients whose requests they pass on; absent: it believes none. */
  readonly forwardKey?: string | undefined;
}

const candidateSchema = z.object({
  id: z.string(),
  url: z.url({ protocol: /^https?$/ }),
  forwardKey: z.string().optional(),
});

/** What a scheduler writes into its node. */
export const encodeCandidate = ({ id, url, forwardKey }: Candidate): Buffer =>
  Buffer.from(JSON.stringify({ id, url, forwardKey }));

/** Undefined when the node is of somebody whom we do not know how to reach. */
export function decodeCandidate(data: Buffer): Candidate | undefined {
  try {
    return candidateSchema.safeParse(JSON.parse(data.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

/** Whether both are one process: the next one at the same address has another key, and believes no other. */
export const sameCandidate = (one: Candidate | undefined, other: Candidate | undefined): boolean =>
  one?.url === other?.url && one?.forwardKey === other?.forwardKey;

const sequenceDigits = 10;

/** Nodes in the order in which they were made: ZooKeeper ends their names with ten digits that count. */
export const inOrder = (names: readonly string[]): readonly string[] =>
  names
    .filter((name) => /\d{10}$/.test(name))
    .toSorted((a, b) => Number(a.slice(-sequenceDigits)) - Number(b.slice(-sequenceDigits)));
