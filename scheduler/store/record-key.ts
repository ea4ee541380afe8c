import { PatchpanelError } from '../../src/runtime/errors.ts';
import type { RecordKind } from './store.ts';

/** The kinds as a table, so that a new kind cannot be forgotten here. */
const known: Readonly<Record<RecordKind, true>> = {
  app: true,
  'app-version': true,
  group: true,
  revision: true,
  deployment: true,
  'ended-deployment': true,
  'task-failure': true,
  slot: true,
  instance: true,
  network: true,
  reservation: true,
  host: true,
  executor: true,
  meta: true,
};

/** Every kind of record. */
export const recordKinds = Object.keys(known) as readonly RecordKind[];

/** `<kind>/<key>`: kinds hold no slash, keys may. */
export const recordKey = (kind: RecordKind, key: string): string => `${kind}/${key}`;

/**
 * The kind and key of a stored key.
 * @throws PatchpanelError `corrupt` when no kind of ours begins it
 */
export function parseRecordKey(text: string): { kind: RecordKind; key: string } {
  const slash = text.indexOf('/');
  const kind = text.slice(0, slash);
  if (slash < 0 || !isKind(kind)) {
    throw new PatchpanelError(
      'corrupt',
      `the store holds the key "${text}", which this version does not know; use the version that wrote it or restore a copy of the state directory`,
    );
  }
  return { kind, key: text.slice(slash + 1) };
}

function isKind(text: string): text is RecordKind {
  return Object.hasOwn(known, text);
}
