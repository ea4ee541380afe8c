import { readFile } from 'node:fs/promises';
import { endpointsOn } from '../../src/fabric/own-endpoints.ts';
import { endpointKey, type EndpointKey, type View, type ViewEndpoint } from '../../src/fabric/view.ts';
import type { AgentId } from '../../src/model/ids.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { codeOf } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';
import { servedConnections } from '../core/fabric/connections.ts';

/** The kernel tells nobody when a socket is closed, so it is looked at; only while something drains. */
const lookEveryMs = 200;
/** Looks in a row that must find nothing: a connection may be between two states. */
const looksNeeded = 2;

export interface DrainWatchOptions {
  readonly agentId: AgentId;
  readonly clock: Clock;
  readonly log: Logger;
  /** A process in the endpoint's network namespace; undefined when it is not here any more. */
  readonly pidOf: (endpoint: EndpointKey) => number | 'unknown' | undefined;
  /** All draining endpoints without connections, whenever one comes or goes. */
  readonly onDrained: (endpoints: readonly EndpointKey[]) => void;
}

/** Sees when the last connection to a draining endpoint of this host ends. */
export class DrainWatch {
  readonly #options: DrainWatchOptions;
  readonly #loop: Loop;
  readonly #quietLooks = new Map<string, number>();
  #draining: readonly ViewEndpoint[] = [];
  #reported = '';
  #cancelNext = (): void => undefined;

  constructor(options: DrainWatchOptions) {
    this.#options = options;
    this.#loop = new Loop({
      clock: options.clock,
      round: () => this.#look(),
      onError: (error) => options.log.warn('connections could not be counted; it is tried again', { error }),
    });
  }

  /** The view whose flows are in force now. */
  follow(view: View): void {
    const own = endpointsOn(view, this.#options.agentId);
    this.#draining = own.filter(({ keepsConnections }) => keepsConnections === true);
    const keys = new Set(this.#draining.map(endpointKey));
    for (const key of this.#quietLooks.keys()) if (!keys.has(key)) this.#quietLooks.delete(key);
    this.#report();
    if (this.#draining.length > 0) this.#loop.trigger();
  }

  async stop(): Promise<void> {
    this.#cancelNext();
    await this.#loop.stop();
  }

  async #look(): Promise<void> {
    await Promise.all(this.#draining.map((endpoint) => this.#lookAt(endpoint)));
    this.#report();
    this.#cancelNext();
    if (this.#draining.length === 0) return;
    this.#cancelNext = this.#options.clock.after(lookEveryMs, () => this.#loop.trigger());
  }

  async #lookAt(endpoint: ViewEndpoint): Promise<void> {
    const key = endpointKey(endpoint);
    const pid = this.#options.pidOf(endpoint);
    const tables = typeof pid === 'number' ? await socketTables(pid) : [];
    // Where nobody can look, the time that the app gives its connections decides.
    const quiet = pid !== 'unknown' && servedConnections(tables, endpoint) === 0;
    this.#quietLooks.set(key, quiet ? (this.#quietLooks.get(key) ?? 0) + 1 : 0);
  }

  #report(): void {
    const drained = this.#draining
      .filter((endpoint) => (this.#quietLooks.get(endpointKey(endpoint)) ?? 0) >= looksNeeded)
      .map(({ slot, epoch }) => ({ slot, epoch }));
    const text = drained.map(endpointKey).join(' ');
    if (text === this.#reported) return;
    this.#reported = text;
    this.#options.onDrained(drained);
  }
}

/** The sockets of a process's network namespace; none when it has ended. */
async function socketTables(pid: number): Promise<readonly string[]> {
  const read = async (name: string): Promise<string> => {
    try {
      return await readFile(`/proc/${pid}/net/${name}`, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH' || codeOf(error) === 'EINVAL') return '';
      throw error;
    }
  };
  return Promise.all([read('tcp'), read('tcp6')]);
}
