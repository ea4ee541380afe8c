import type { Slot } from '../../src/model/instance.ts';
import type { StoredRecord } from './store.ts';

/**
 * Room for what happened between an export and its import. Hosts refuse views of a term below one that they have seen,
 * and a number of an incarnation names one container for ever: both go on well above whatever may have been used.
 */
export const restoreRoom = { term: 1_000_000, epochs: 1_000 } as const;

/** Exported records as they may be put in force again. Pure. */
export const withRoom = (records: readonly StoredRecord[]): readonly StoredRecord[] =>
  records.map(withRoomFor);

function withRoomFor(record: StoredRecord): StoredRecord {
  if (record.kind === 'meta' && record.key === 'term') {
    return { ...record, value: Number(record.value) + restoreRoom.term };
  }
  if (record.kind !== 'slot') return record;
  const slot = record.value as Slot;
  return slot.epoch === 0
    ? record
    : { ...record, value: { ...slot, epoch: slot.epoch + restoreRoom.epochs } };
}
