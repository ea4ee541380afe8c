import { rowParsers, type TableName, type Tables } from './rows.ts';

type RowMaps = { [T in TableName]: Map<string, Tables[T]> };

/** What may be read of the copy of the database. */
export interface Rows {
  all<T extends TableName>(table: T): readonly Tables[T][];
  byUuid<T extends TableName>(table: T, uuid: string): Tables[T] | undefined;
}

/**
 * The copy of the monitored tables, as of the last update that the server sent.
 * INVARIANT: rows are replaced, never changed: one that was handed out stays as it was.
 */
export class RowCache implements Rows {
  #maps: RowMaps = emptyMaps();

  clear(): void {
    this.#maps = emptyMaps();
  }

  /** Applies the content of a `monitor` reply or of an `update` notification (RFC 7047 §4.1.6). */
  apply(updates: unknown): void {
    if (!isRecord(updates)) return;
    for (const table of Object.keys(this.#maps) as TableName[]) {
      const rows = updates[table];
      if (isRecord(rows)) this.#applyTable(table, rows);
    }
  }

  all<T extends TableName>(table: T): readonly Tables[T][] {
    return [...this.#maps[table].values()];
  }

  byUuid<T extends TableName>(table: T, uuid: string): Tables[T] | undefined {
    return this.#maps[table].get(uuid);
  }

  #applyTable(table: TableName, updates: Readonly<Record<string, unknown>>): void {
    const rows = this.#maps[table] as Map<string, Tables[TableName]>;
    for (const [uuid, update] of Object.entries(updates)) {
      const fresh = isRecord(update) ? update['new'] : undefined;
      if (isRecord(fresh)) rows.set(uuid, rowParsers[table](uuid, fresh));
      else rows.delete(uuid);
    }
  }
}

const emptyMaps = (): RowMaps => ({
  Open_vSwitch: new Map(),
  Bridge: new Map(),
  Port: new Map(),
  Interface: new Map(),
});

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
