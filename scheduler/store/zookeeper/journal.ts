import { reasonOf } from '../../../src/zookeeper/errors.ts';
import { nodeModes, type Acl, type Operation } from '../../../src/zookeeper/messages.ts';
import type { ZooKeeperSession } from '../../../src/zookeeper/session.ts';
import type { RecordWrite } from '../store.ts';
import type { Fence } from './fence.ts';
import { decodeRecord, encodeRecord } from './record-bytes.ts';

/** Writes that one transaction cannot take are kept in parts of this many, bytes of JSON. */
const partBytes = 512 * 1024;

/** A value whose JSON is longer is kept in slices of this many characters, each of up to three bytes, or two escaped. */
const sliceLength = 128 * 1024;

/**
 * Makes writes that do not fit into one transaction durable together: first their parts, then a node that says that all
 * parts are there. From then on they count, and are carried out, by the next leader if need be.
 */
export class Journal {
  readonly #session: ZooKeeperSession;
  readonly #fence: Fence;
  readonly #path: string;
  readonly #acl: readonly Acl[];

  constructor(session: ZooKeeperSession, fence: Fence, path: string, acl: readonly Acl[]) {
    this.#session = session;
    this.#fence = fence;
    this.#path = path;
    this.#acl = acl;
  }

  /** When it resolves the writes are durable; they still have to be carried out, and the journal to be cleared. */
  async keep(writes: readonly RecordWrite[]): Promise<void> {
    const parts = partsOf(writes);
    for (const [n, part] of parts.entries()) {
      await this.#fence.write([this.#create(`part-${n}`, encodeRecord(part))]);
    }
    await this.#fence.write([this.#create('complete', encodeRecord({ parts: parts.length }))]);
  }

  /** What an earlier leader made durable and had no time to carry out. */
  async kept(): Promise<readonly RecordWrite[]> {
    const complete = await this.#read('complete');
    if (complete === undefined) return [];
    const { parts } = complete as { parts: number };
    const stored: StoredWrite[] = [];
    for (let n = 0; n < parts; n += 1) {
      stored.push(...((await this.#read(`part-${n}`)) as readonly StoredWrite[]));
    }
    return joined(stored);
  }

  /** Takes away what was carried out, or was never complete. */
  async clear(): Promise<void> {
    const names = await this.#session.children(this.#path);
    if (names.length === 0) return;
    await this.#fence.write(names.map((name) => ({ kind: 'delete', path: `${this.#path}/${name}` })));
  }

  #create(name: string, data: Buffer): Operation {
    return {
      kind: 'create',
      path: `${this.#path}/${name}`,
      data,
      acl: this.#acl,
      mode: nodeModes.persistent,
    };
  }

  async #read(name: string): Promise<unknown> {
    const path = `${this.#path}/${name}`;
    try {
      return decodeRecord((await this.#session.get(path)).data, path);
    } catch (error) {
      if (reasonOf(error) === 'no-node') return undefined;
      throw error;
    }
  }
}

/** As JSON keeps it: no value is a deletion. A slice that is not the last is followed by the next one. */
type StoredWrite = Pick<RecordWrite, 'kind' | 'key'> & {
  readonly value?: unknown;
  readonly slice?: { readonly json: string; readonly last: boolean };
};

function sliced({ kind, key, value }: RecordWrite): readonly StoredWrite[] {
  const json = value === undefined ? '' : JSON.stringify(value);
  if (json.length <= sliceLength) return [{ kind, key, value }];
  const slices: StoredWrite[] = [];
  for (let at = 0; at < json.length; at += sliceLength) {
    const last = at + sliceLength >= json.length;
    slices.push({ kind, key, slice: { json: json.slice(at, at + sliceLength), last } });
  }
  return slices;
}

function joined(stored: readonly StoredWrite[]): readonly RecordWrite[] {
  const writes: RecordWrite[] = [];
  let json = '';
  for (const { kind, key, value, slice } of stored) {
    json += slice?.json ?? '';
    if (slice === undefined) writes.push({ kind, key, value });
    else if (slice.last) {
      writes.push({ kind, key, value: JSON.parse(json) });
      json = '';
    }
  }
  return writes;
}

function partsOf(writes: readonly RecordWrite[]): readonly (readonly StoredWrite[])[] {
  const parts: StoredWrite[][] = [[]];
  let bytes = 0;
  for (const write of writes.flatMap(sliced)) {
    const size = Buffer.byteLength(JSON.stringify(write));
    if (bytes > 0 && bytes + size > partBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(write);
    bytes += size;
  }
  return parts;
}
