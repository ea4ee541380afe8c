import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { nodeModes, sizeOf, type Acl, type Operation } from '../../../src/zookeeper/messages.ts';
import type { ZooKeeperSession } from '../../../src/zookeeper/session.ts';
import { GroupCommit } from '../group-commit.ts';
import { recordKinds } from '../record-key.ts';
import type { RecordKind, RecordWrite, Store, StoredRecord } from '../store.ts';
import { Fence } from './fence.ts';
import { Journal } from './journal.ts';
import { keyOf, Layout } from './layout.ts';
import { encodeRecord, piecesOf } from './record-bytes.ts';
import { readRecord } from './snapshot.ts';
import { ensureNode, ensurePath, explainDenied } from '../../../src/zookeeper/tree.ts';

/** The layout of the records. A store of another layout is refused. */
const schemaVersion = 1;

/** A server takes requests of up to 1,048,575 bytes (jute.maxbuffer) unless it is told otherwise. */
const maxTransactionBytes = 1_000_000;

/** Records that are read at the same time at the start. */
const readAhead = 512;

export interface ZooKeeperStoreOptions {
  readonly session: ZooKeeperSession;
  /** Begins with a slash; made when it is missing. */
  readonly root: string;
  /** Who may read and write the nodes. */
  readonly acl: readonly Acl[];
}

/**
 * Opens the store and takes the right to write away from whoever had it. The caller must have been elected.
 * @throws ZooKeeperError, PatchpanelError `corrupt` for a layout of another version, `denied` when the tree is somebody
 * else's
 */
export async function openZooKeeperStore(options: ZooKeeperStoreOptions): Promise<Store> {
  const { session, root, acl } = options;
  const layout = new Layout(root);
  try {
    await ensurePath(session, layout.journal, acl);
    await session.sync(layout.root);
    const fence = await Fence.take(session, layout.epoch, acl);
    await checkSchema(session, layout, acl);
    const journal = new Journal(session, fence, layout.journal, acl);
    const store = new ZooKeeperStore(
      session,
      layout,
      acl,
      fence,
      journal,
      await listAll(session, layout, acl),
    );
    await store.recover();
    return store;
  } catch (error) {
    throw explainDenied(error, root);
  }
}

/** INVARIANT: `present` holds the paths of all nodes of records that ZooKeeper has: it tells setting and making apart. */
class ZooKeeperStore implements Store {
  readonly #session: ZooKeeperSession;
  readonly #layout: Layout;
  readonly #acl: readonly Acl[];
  readonly #fence: Fence;
  readonly #journal: Journal;
  readonly #present: Set<string>;
  readonly #commits: GroupCommit<RecordWrite>;

  constructor(
    session: ZooKeeperSession,
    layout: Layout,
    acl: readonly Acl[],
    fence: Fence,
    journal: Journal,
    present: Set<string>,
  ) {
    this.#session = session;
    this.#layout = layout;
    this.#acl = acl;
    this.#fence = fence;
    this.#journal = journal;
    this.#present = present;
    this.#commits = new GroupCommit((writes) => this.#write(writes));
  }

  /** Carries out what an earlier leader had made durable. */
  async recover(): Promise<void> {
    const kept = await this.#journal.kept();
    if (kept.length > 0) await this.#carryOut(this.#operations(kept));
    await this.#journal.clear();
  }

  async *load(): AsyncIterable<StoredRecord> {
    const paths = [...this.#present].filter((path) => path.startsWith(`${this.#layout.state}/`));
    for (let at = 0; at < paths.length; at += readAhead) {
      yield* await Promise.all(paths.slice(at, at + readAhead).map((path) => this.#read(path)));
    }
  }

  commit(writes: readonly RecordWrite[]): Promise<void> {
    return this.#commits.commit(writes);
  }

  /** The session is the owner's. */
  close(): Promise<void> {
    return this.#commits.close();
  }

  #read(path: string): Promise<StoredRecord> {
    const [kind, name] = path.slice(this.#layout.state.length + 1).split('/') as [RecordKind, string];
    return readRecord(this.#session, this.#layout, kind, keyOf(name));
  }

  async #write(writes: readonly RecordWrite[]): Promise<void> {
    const operations = this.#operations(writes);
    if (operations.length === 0) return;
    if (this.#bytesOf(operations) <= maxTransactionBytes) return this.#carryOut(operations);
    await this.#journal.keep(writes);
    await this.#carryOut(operations);
    await this.#journal.clear();
  }

  /** In as few transactions as can take them. */
  async #carryOut(operations: readonly Operation[]): Promise<void> {
    let from = 0;
    while (from < operations.length) {
      let to = from + 1;
      let bytes = this.#bytesOf(operations.slice(from, to));
      while (to < operations.length && bytes + sizeOf(operations[to]!) <= maxTransactionBytes) {
        bytes += sizeOf(operations[to]!);
        to += 1;
      }
      await this.#fence.write(operations.slice(from, to));
      for (const done of operations.slice(from, to)) this.#remember(done);
      from = to;
    }
  }

  #operations(writes: readonly RecordWrite[]): readonly Operation[] {
    const last = new Map<string, RecordWrite>();
    for (const write of writes) last.set(this.#layout.record(write.kind, write.key), write);
    return [...last.values()].flatMap((write) => this.#operationsOf(write));
  }

  /** Of one record: its own node, and those of further pieces, of which it may have had more or fewer before. */
  #operationsOf({ kind, key, value }: RecordWrite): Operation[] {
    const pieces = value === undefined ? [] : piecesOf(encodeRecord(value));
    const operations: Operation[] = [];
    for (let n = 0; ; n += 1) {
      const path = n === 0 ? this.#layout.record(kind, key) : this.#layout.piece(kind, key, n);
      const present = this.#present.has(path);
      const data = pieces[n];
      if (data !== undefined) operations.push(this.#putting(path, data, present));
      else if (present) operations.push({ kind: 'delete', path });
      else return operations;
    }
  }

  #putting(path: string, data: Buffer, present: boolean): Operation {
    return present
      ? { kind: 'set', path, data, version: -1 }
      : { kind: 'create', path, data, acl: this.#acl, mode: nodeModes.persistent };
  }

  #remember({ kind, path }: Operation): void {
    if (kind === 'create') this.#present.add(path);
    if (kind === 'delete') this.#present.delete(path);
  }

  #bytesOf(operations: readonly Operation[]): number {
    return operations.reduce((sum, operation) => sum + sizeOf(operation), this.#fence.bytes);
  }
}

async function checkSchema(
  session: ZooKeeperSession,
  { schema }: Layout,
  acl: readonly Acl[],
): Promise<void> {
  await ensureNode(session, schema, Buffer.from(String(schemaVersion)), acl);
  const found = (await session.get(schema)).data.toString('utf8');
  if (found === String(schemaVersion)) return;
  throw new PatchpanelError(
    'corrupt',
    `${schema} in ZooKeeper has layout ${found}, this version reads layout ${schemaVersion}; start the version that wrote it`,
  );
}

async function listAll(session: ZooKeeperSession, layout: Layout, acl: readonly Acl[]): Promise<Set<string>> {
  const present = new Set<string>();
  for (const kind of recordKinds) {
    const folder = layout.kind(kind);
    await ensurePath(session, folder, acl);
    for (const name of await session.children(folder)) present.add(`${folder}/${name}`);
  }
  await ensurePath(session, layout.more, acl);
  for (const name of await session.children(layout.more)) present.add(`${layout.more}/${name}`);
  return present;
}
