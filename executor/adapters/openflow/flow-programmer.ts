import { join } from 'node:path';
import { bundleText, flowsText, type Flow, type FlowDiff } from '../../../src/fabric/flow.ts';
import { runProgram } from '../program.ts';

const TIMEOUT_MS = 15_000;

/** Where a bridge takes OpenFlow connections from programs of its own host. */
export const managementSocket = (ovsRunDir: string, bridge: string): string =>
  join(ovsRunDir, `${bridge}.mgmt`);

/** Changes the flows of one bridge. Every call is one bundle: a packet meets all of it or nothing. */
export class FlowProgrammer {
  readonly #target: string;
  readonly #tunnelOfport: (underlayIp: string) => number | undefined;

  /** @param tunnelOfport OpenFlow port of the tunnel to a peer, if there is one */
  constructor(ovsRunDir: string, bridge: string, tunnelOfport: (underlayIp: string) => number | undefined) {
    this.#target = `unix:${managementSocket(ovsRunDir, bridge)}`;
    this.#tunnelOfport = tunnelOfport;
  }

  /**
   * Makes the bridge hold these flows and no others. Flows that stay keep their counters.
   * @throws PatchpanelError `external` with the words of ovs-ofctl, `deadline`
   */
  async replaceAll(flows: readonly Flow[]): Promise<void> {
    await this.#ofctl(['--bundle', 'replace-flows', this.#target, '-'], flowsText(flows));
  }

  /**
   * Commits a difference.
   * @throws PatchpanelError `external` with the words of ovs-ofctl, `deadline`; nothing has changed then
   */
  async apply(diff: FlowDiff): Promise<void> {
    const text = bundleText(diff);
    if (text !== '') await this.#ofctl(['bundle', this.#target, '-'], text);
  }

  /** Writes a flow that is in force once more: nothing changes, but Open vSwitch takes it for a change. */
  rewrite(flow: Flow): Promise<void> {
    return this.apply({ add: [], modify: [flow], remove: [] });
  }

  /**
   * Sends one meaningless frame to each tunnel endpoint. The userspace datapath throws away what it sends to a
   * neighbour whose MAC it does not know while it asks for it: this spends a frame that nobody misses, and tells the
   * other side our MAC.
   */
  async wakeNeighbours(underlayIps: readonly string[]): Promise<void> {
    const lines = underlayIps.flatMap((ip) => {
      const ofport = this.#tunnelOfport(ip);
      if (ofport === undefined) return [];
      const actions = `set_field:${ip}->tun_dst,set_field:0->tun_id,output:${ofport}`;
      return [`packet-out in_port=controller packet=${EMPTY_FRAME} actions=${actions}`];
    });
    if (lines.length === 0) return;
    await this.#ofctl(['bundle', this.#target, '-'], `${lines.join('\n')}\n`);
  }

  /** The version of the Open vSwitch programs on this host, `3.1.0`. */
  async version(): Promise<string> {
    const output = await runProgram('ovs-ofctl', ['--version'], '', TIMEOUT_MS);
    return /\) (\d[\w.]*)/.exec(output)?.[1] ?? 'unknown';
  }

  async #ofctl(args: readonly string[], input: string): Promise<void> {
    await runProgram('ovs-ofctl', ['-O', 'OpenFlow14', ...args], input, TIMEOUT_MS);
  }
}

/** Ethernet header to nobody with the type kept for local experiments (0x88b5), padded; network 0 has no endpoints. */
const EMPTY_FRAME = `0000000000000a000000000088b5${'00'.repeat(46)}`;
