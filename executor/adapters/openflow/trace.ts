import { askSwitchd } from './appctl.ts';

const TIMEOUT_MS = 4_000;

/**
 * What the bridge would do with a frame of this flow, as `ofproto/trace` tells it (ovs-vswitchd(8)). Sends nothing and
 * counts nothing.
 * @throws PatchpanelError `external` with its words, `deadline`; ENOENT when ovs-vswitchd is not there
 */
export const traceFrame = (ovsRunDir: string, bridge: string, flow: string): Promise<string> =>
  askSwitchd(ovsRunDir, ['ofproto/trace', bridge, flow], TIMEOUT_MS);
