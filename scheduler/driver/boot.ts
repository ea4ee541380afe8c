import { frameworkId, type FrameworkId } from '../../src/model/ids.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { createWorld, frameworkIdKey, restore } from '../core/restore.ts';
import type { World } from '../core/world.ts';
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
}

/**
 * Reads the store into a world and makes durable what must be before anything is said to anybody: this leader's
 * term, and at the very first start the framework's id and the key of the executors' tokens. Mesos takes an id that it did not issue, so choosing it here
 * leaves no moment in which a crash could lose one that Mesos knows, and with it every task.
 * @throws PatchpanelError `corrupt` when the store has tasks but no framework id
 */
export async function boot(store: Store, uuid: () => string, newKey: () => string): Promise<BootState> {
  const records: StoredRecord[] = [];
  for await (const record of store.load()) records.push(record);
  const meta = new Map(records.filter(({ kind }) => kind === 'meta').map(({ key, value }) => [key, value]));

  const term = Number(meta.get(termKey) ?? 0) + 1;
  const id = knownFrameworkId(records, meta) ?? frameworkId(`patchpanel-${uuid()}`);
  const known = meta.get(hostKeyKey);
  const hostKey = typeof known === 'string' ? known : newKey();
  await store.commit([
    { kind: 'meta', key: termKey, value: term },
    { kind: 'meta', key: frameworkIdKey, value: id },
    { kind: 'meta', key: hostKeyKey, value: hostKey },
  ]);

  const world = createWorld();
  restore(world, records);
  world.frameworkId = id;
  return { world, term, frameworkId: id, hostKey };
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
