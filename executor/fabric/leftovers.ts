import { deleteVeths, listVeths } from '../adapters/netns/veth.ts';
import { endpointKey, type EndpointKey } from '../../src/fabric/view.ts';
import { Loop } from '../../src/runtime/loop.ts';
import type { Attachments } from './attachments.ts';
import { Batcher } from './batcher.ts';
import type { Bridge } from './bridge.ts';
import { Sweeper, type SweepCounts } from './sweeper.ts';
import type { SwitchSurroundings } from './switch-config.ts';

const SWEEP_EVERY_MS = 30_000;

export interface LeftoversParts {
  /** The mark that veths of this host carry. */
  readonly owner: string;
  readonly around: Pick<SwitchSurroundings, 'clock' | 'random' | 'log'>;
  readonly bridge: Bridge;
  readonly attachments: () => Attachments;
}

/**
 * Removes ports and veths of ours that nobody wants: at once what earlier executors left, now and then what got lost.
 * INVARIANT: a port goes before its veth, so Open vSwitch never has a port without a device for longer than that.
 */
export class Leftovers {
  readonly #parts: LeftoversParts;
  readonly #removals = new Batcher<string>({
    maxBatch: 64,
    maxQueued: 4_096,
    what: 'the deletion of veths',
    flush: deleteVeths,
  });
  readonly #sweeper: Sweeper;
  readonly #sweeps: Loop;

  constructor(parts: LeftoversParts) {
    this.#parts = parts;
    const { clock, random, log } = parts.around;
    this.#sweeper = new Sweeper({
      find: () => this.#find(),
      wanted: () => parts.attachments().veths(),
      remove: (veth) => this.unplug(veth),
    });
    const onError = (error: unknown) => log.warn('a background task failed; it is tried again', { error });
    this.#sweeps = new Loop({ clock, random, onError, everyMs: SWEEP_EVERY_MS, round: () => this.#sweep() });
  }

  get counts(): SweepCounts {
    return this.#sweeper.counts;
  }

  /** Begins to look for what got lost. */
  start(): void {
    this.#sweeps.trigger();
  }

  stop(): Promise<void> {
    return this.#sweeps.stop();
  }

  /** Removes the port of a veth, then the veth; fine when they are not there. @throws PatchpanelError `external` */
  async unplug(veth: string): Promise<void> {
    await this.#parts.bridge.removePort(veth);
    await this.#removals.add(veth);
  }

  /**
   * Removes whatever earlier executors of this host left, except what is of one that lives: flows, then ports, then
   * veths. Gives what it removed.
   * @throws PatchpanelError `external`, `unavailable`, `deadline`; what is left then is swept later
   */
  async cleanUp(lives: (runId: string | undefined) => boolean): Promise<readonly EndpointKey[]> {
    const attachments = this.#parts.attachments();
    const inherited = attachments.inherited((runId) => !lives(runId));
    await Promise.all(inherited.map((endpoint) => attachments.detach(endpoint)));
    const wanted = attachments.veths();
    const strays = (await this.#find()).filter((veth) => !wanted.has(veth));
    await Promise.all(strays.map((veth) => this.unplug(veth)));
    if (inherited.length + strays.length > 0) {
      this.#parts.around.log.info('removed what an earlier executor left', {
        endpoints: inherited.map(endpointKey),
        strays,
      });
    }
    return inherited;
  }

  async #sweep(): Promise<void> {
    if (!this.#parts.bridge.settled) return;
    await this.#parts.attachments().retryDepartures();
    const removed = await this.#sweeper.round();
    if (removed.length > 0)
      this.#parts.around.log.warn('removed ports that nobody wanted', { veths: removed });
  }

  async #find(): Promise<readonly string[]> {
    const devices = await listVeths(this.#parts.owner);
    return [...new Set([...this.#parts.bridge.ports().map((port) => port.veth), ...devices])];
  }
}
