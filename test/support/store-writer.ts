import { openEmbeddedStore } from '../../scheduler/store/embedded-store.ts';

/**
 * Commits in a loop until it is killed and prints the number of each commit that was acknowledged. Commit n writes
 * three records with the value n and deletes one of commit n-10, several commits at a time.
 */
const store = await openEmbeddedStore(process.argv[2]!);
let next = Number(process.argv[3]);

async function commitForEver(): Promise<never> {
  for (;;) {
    const n = next++;
    await store.commit([
      { kind: 'instance', key: `${n}`, value: n },
      { kind: 'slot', key: `${n}`, value: n },
      { kind: 'instance', key: `${n - 10}`, value: undefined },
      { kind: 'meta', key: 'newest', value: n },
    ]);
    process.stdout.write(`${n}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, commitForEver));
