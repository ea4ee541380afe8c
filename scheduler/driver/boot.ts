import { frameworkId, type FrameworkId } from '../../src/model/ids.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { createWorld, frameworkIdKey, restore } from '../core/restore.ts';
import type { World } from '../core/world.ts';
import { migrations } from '../store/migrations/all.ts';
import { migrate, type Migrated } from '../store/migrations/migrate.ts';
import type { Store, StoredRecord } from '../store/store.ts';

/** The key of the `meta` record that counts the leaders. */
const termKey = 'term';

/** The key of the `meta` record with the secret that executors' tokens are made of. */
const hostKeyKey = 'host-key';

export interface BootState {
  readonly world: World;
  /** Greater than in any run before. */
  readonly term: number;
  readonly frameworkId: FrameworkId;
  /** The same for every leader: executors keep their tokens. */
  readonly hostKey: string;
  /** Between which versions of the records the store was brought. */
  readonly migrated: Pick<Migrated, 'from' | 'to'>;
}

/**
 * Reads the store into a world and makes durable what must be before anything is said to anybody: this leader's
 * term, and at the very first start the framework's id and the key of the executors' tokens. Mesos takes an id that it did not issue, so choosing it here
 * leaves no moment in which a crash could lose one that Mesos knows, and with it every task.
 * Records of an earlier version are migrated in the same commit.
 * @throws PatchpanelError `corrupt` when the store has tasks but no framework id, or was written by a newer version;
 *   then nothing was written
 */
export async function boot(store: Store, uuid: () => string, newKey: () => string): Promise<BootState> {
  const stored: StoredRecord[] = [];
  for await (const record of store.load()) stored.push(record);
  const { records, writes, from, to } = migrate(stored, migrations);
  const meta = new Map(records.filter(({ kind }) => kind === 'meta').map(({ key, value }) => [key, value]));

  const term = Number(meta.get(termKey) ?? 0) + 1;
  const id = knownFrameworkId(records, meta) ?? frameworkId(`patchpanel-${uuid()}`);
  const known = meta.get(hostKeyKey);
  const hostKey = typeof known === 'string' ? known : newKey();
  await store.commit([
    ...writes,
    { kind: 'meta', key: termKey, value: term },
    { kind: 'meta', key: frameworkIdKey, value: id },
    { kind: 'meta', key: hostKeyKey, value: hostKey },
  ]);

  const world = createWorld();
  restore(world, records);
  world.frameworkId = id;
  return { world, term, frameworkId: id, hostKey, migrated: { from, to } };
}

function knownFrameworkId(
  records: readonly StoredRecord[],
  meta: ReadonlyMap<string, unknown>,
): FrameworkId | undefined {
  const known = meta.get(frameworkIdKey);
  if (typeof known === 'string') return frameworkId(known);
  if (!records.some(({ kind }) => kind === 'instance')) return undefined;
  throw new PatchpanelError(
    'corrupt',
    'the store has tasks but no framework id: starting anew would run every task twice; restore a complete copy of the state directory',
  );
}
