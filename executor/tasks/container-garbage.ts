import type { Clock } from '../../src/runtime/clock.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';
import type { Containers, ListedContainer } from '../core/tasks/containers.ts';

const everyMs = 30_000;
/** Containers that are removed at the same time. */
const parallel = 4;

/**
 * Removes containers of this host that belong to no task: all at start, later what two rounds in a row found. One that
 * Docker cannot remove (its disk or device is stuck) is tried again in each round.
 */
export class ContainerGarbage {
  readonly #containers: Containers;
  readonly #isWanted: (container: ListedContainer) => boolean;
  readonly #log: Logger;
  readonly #loop: Loop;
  #suspects: ReadonlySet<string> = new Set();

  constructor(
    containers: Containers,
    isWanted: (container: ListedContainer) => boolean,
    clock: Clock,
    log: Logger,
  ) {
    this.#containers = containers;
    this.#isWanted = isWanted;
    this.#log = log;
    this.#loop = new Loop({
      clock,
      everyMs,
      round: () => this.collect(),
      onError: (error) => log.warn('could not look for stray containers', { error }),
    });
  }

  /**
   * Removes at once whatever nobody wants; apps first, as they use the sandboxes. Gives what Docker could not remove: it
   * is for the rounds.
   */
  async removeLeftovers(): Promise<readonly ListedContainer[]> {
    const left = await this.#strays();
    return left.length === 0 ? [] : this.#removeAll(left);
  }

  /**
   * Removes at once what the tasks of an executor that has ended left.
   * @throws PatchpanelError `external` when some of it is still there; the rest is gone then, too
   */
  async removeOf(runId: string): Promise<void> {
    const stuck = await this.#removeAll(
      (await this.#strays()).filter((container) => container.runId === runId),
    );
    if (stuck.length === 0) return;
    const names = stuck.map(({ name }) => name).join(', ');
    throw new PatchpanelError('external', `Docker could not remove ${names}`);
  }

  /** Begins the periodic rounds. */
  start(): void {
    this.#loop.trigger();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** One round: what was a stray in the last one too is removed. */
  async collect(): Promise<void> {
    const strays = await this.#strays();
    const condemned = strays.filter((container) => this.#suspects.has(container.id));
    this.#suspects = new Set(strays.map((container) => container.id));
    for (const { name, taskId } of condemned) this.#log.warn('removing a stray container', { name, taskId });
    await this.#remove(condemned);
  }

  async #strays(): Promise<readonly ListedContainer[]> {
    return (await this.#containers.list()).filter((container) => !this.#isWanted(container));
  }

  async #removeAll(left: readonly ListedContainer[]): Promise<readonly ListedContainer[]> {
    this.#log.info('removing what an earlier executor left', { containers: left.length });
    const apps = await this.#remove(left.filter((container) => container.role === 'app'));
    const sandboxes = await this.#remove(left.filter((container) => container.role === 'sandbox'));
    return [...apps, ...sandboxes];
  }

  /** Gives what could not be removed: one that is stuck keeps nobody from removing the others. */
  async #remove(containers: readonly ListedContainer[]): Promise<readonly ListedContainer[]> {
    const queue = [...containers];
    const stuck: ListedContainer[] = [];
    const work = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (!(await this.#tryRemove(next))) stuck.push(next);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    return stuck;
  }

  async #tryRemove({ id, name, taskId }: ListedContainer): Promise<boolean> {
    try {
      await this.#containers.remove(id);
      return true;
    } catch (error) {
      this.#log.warn('a container could not be removed', { name, taskId, error });
      return false;
    }
  }
}
