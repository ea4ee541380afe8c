import type { NetworkName } from '../../../src/model/ids.ts';

/** What normalisation fills in that is not in the JSON. */
export interface NormaliseDefaults {
  readonly role: string;
  readonly defaultNetwork: NetworkName;
  /** The domain that names on a network live under; undefined for an unknown network. */
  readonly domainOf: (network: NetworkName) => string | undefined;
  /** Why the scheduler has no secret of this source, if it has none. */
  readonly secretProblem: (source: string) => string | undefined;
  /** What an app runs that names no image; without it such an app is refused. */
  readonly defaultImage: string | undefined;
  readonly now: number;
  /** Hands out the next free service port; throws when the range is used up. */
  readonly nextServicePort: () => number;
}
