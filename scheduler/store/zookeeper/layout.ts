import { PatchpanelError } from '../../../src/runtime/errors.ts';
import type { RecordKind } from '../store.ts';

/**
 * Where things are below the path that the schedulers of one framework share:
 *
 *     election/…      one ephemeral node for each scheduler
 *     epoch           who may write; its version grows with each transaction
 *     schema          the layout of what follows
 *     state/KIND/KEY  one record
 *     more/…          what a record has beyond what one node takes
 *     journal/…       the parts of a transaction that is too large for one request
 */
export class Layout {
  readonly root: string;
  readonly election: string;
  readonly epoch: string;
  readonly schema: string;
  readonly state: string;
  readonly more: string;
  readonly journal: string;

  /** @param root without a slash at its end */
  constructor(root: string) {
    this.root = root;
    this.election = `${root}/election`;
    this.epoch = `${root}/epoch`;
    this.schema = `${root}/schema`;
    this.state = `${root}/state`;
    this.more = `${root}/more`;
    this.journal = `${root}/journal`;
  }

  kind(kind: RecordKind): string {
    return `${this.state}/${kind}`;
  }

  record(kind: RecordKind, key: string): string {
    return `${this.state}/${kind}/${nodeName(key)}`;
  }

  /** The node of a record's piece, counted from 1; the first one is the record's own node. Names of keys hold no `@`. */
  piece(kind: RecordKind, key: string, piece: number): string {
    return `${this.more}/${kind}@${nodeName(key)}@${piece}`;
  }
}

/**
 * The name of the node of a key: names cannot hold slashes, and cannot be dots.
 * @throws PatchpanelError `invalid` for a key that no node can be named after
 */
export function nodeName(key: string): string {
  if (key === '') throw new PatchpanelError('invalid', 'a record needs a key');
  const name = encodeURIComponent(key);
  return name === '.' || name === '..' ? name.replaceAll('.', '%2E') : name;
}

/** The key that the node is named after. */
export const keyOf = (name: string): string => decodeURIComponent(name);
