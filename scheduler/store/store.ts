/**
 * Where the scheduler keeps its records. One small record per thing; a change costs what changed.
 * The embedded store and ZooKeeper pass the same contract tests.
 */
export type RecordKind =
  | 'app'
  | 'app-version'
  | 'group'
  | 'revision'
  | 'deployment'
  | 'ended-deployment'
  | 'task-failure'
  | 'slot'
  | 'instance'
  | 'network'
  | 'reservation'
  | 'host'
  | 'executor'
  | 'meta';

/** Put (`value` is plain JSON) or delete (`value` undefined) of one record. */
export interface RecordWrite {
  readonly kind: RecordKind;
  readonly key: string;
  readonly value: unknown;
}

export interface StoredRecord {
  readonly kind: RecordKind;
  readonly key: string;
  readonly value: unknown;
}

export interface Store {
  /** Every record, in any order, for start-up. */
  load(): AsyncIterable<StoredRecord>;
  /**
   * Makes all writes durable, all or none. When it resolves they survive kill -9 and power loss.
   * @throws SupersededError when another scheduler has taken the store over; then nothing was written
   */
  commit(writes: readonly RecordWrite[]): Promise<void>;
  close(): Promise<void>;
}
