import { askSwitchd } from './appctl.ts';

/** Left to itself it goes through the cache at least twice a second. */
const TIMEOUT_MS = 3_000;
/** The end of a round that was under way when the flows changed says nothing, the end of the one after it does. */
const ROUNDS = 2;
const MOST_STIRS = 16;

/**
 * Resolves when no frame is forwarded any more by what the datapath remembers of flows that were in force before:
 * Open vSwitch commits a bundle first and goes through its datapath's cache afterwards (ovs-vswitchd(8),
 * revalidator/wait).
 * @param stir changes some flow: each change begins a round through the cache at once instead of half a second later
 * @throws PatchpanelError `external`, `deadline`; ENOENT when ovs-vswitchd is not there; what `stir` throws
 */
export async function awaitRevalidation(ovsRunDir: string, stir: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const wait = async () => {
    try {
      for (let round = 0; round < ROUNDS; round += 1)
        await askSwitchd(ovsRunDir, ['revalidator/wait'], TIMEOUT_MS);
    } finally {
      over.abort();
    }
  };
  const stirUntilOver = async () => {
    for (let stirs = 0; stirs < MOST_STIRS && !over.signal.aborted; stirs += 1) await stir();
  };
  await Promise.all([wait(), stirUntilOver()]);
}

/**
 * Has the datapath forget all flows that it remembers; frames make it ask again. The userspace datapath of Open vSwitch
 * (3.1, `flow_put_on_pmd`) changes the first entry of its cache that a frame fits, which is another one than was meant where
 * entries overlap; the one that was meant then does what it always did, for as long as frames meet it.
 * @throws PatchpanelError `external`, `deadline`; ENOENT when ovs-vswitchd is not there
 */
export async function forgetRemembered(ovsRunDir: string): Promise<void> {
  await askSwitchd(ovsRunDir, ['revalidator/purge'], TIMEOUT_MS);
}
