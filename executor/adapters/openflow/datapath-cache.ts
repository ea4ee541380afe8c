import { askSwitchd } from './appctl.ts';

/** It goes through the cache at least twice a second. */
const TIMEOUT_MS = 3_000;

/**
 * Resolves when no frame is forwarded any more by what the datapath remembers of flows that were in force before:
 * Open vSwitch commits a bundle first and goes through its datapath's cache afterwards (ovs-vswitchd(8),
 * revalidator/wait).
 * @throws PatchpanelError `external`, `deadline`; ENOENT when ovs-vswitchd is not there
 */
export async function awaitRevalidation(ovsRunDir: string): Promise<void> {
  await askSwitchd(ovsRunDir, ['revalidator/wait'], TIMEOUT_MS);
}
