import { PatchpanelError } from '../../src/runtime/errors.ts';
import { parseRecordKey, recordKey } from './record-key.ts';
import type { RecordWrite, Store, StoredRecord } from './store.ts';

/**
 * A store that forgets everything with the process, for tests and trials. It copies values through JSON as a real
 * store does, so that nothing shared with the caller can change under it.
 */
export class MemoryStore implements Store {
  readonly #records = new Map<string, string>();
  #closed = false;

  async *load(): AsyncIterable<StoredRecord> {
    this.#check();
    for (const [text, value] of this.#records) {
      yield { ...parseRecordKey(text), value: JSON.parse(value) };
    }
  }

  async commit(writes: readonly RecordWrite[]): Promise<void> {
    this.#check();
    for (const write of writes) {
      const key = recordKey(write.kind, write.key);
      if (write.value === undefined) this.#records.delete(key);
      else this.#records.set(key, JSON.stringify(write.value));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #check(): void {
    if (this.#closed) throw new PatchpanelError('unavailable', 'the store is closed', { retryable: false });
  }
}
