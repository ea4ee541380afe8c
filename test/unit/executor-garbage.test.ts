import { expect, test } from '@jest/globals';
import type { Containers, ListedContainer } from '../../executor/core/tasks/containers.ts';
import { ContainerGarbage } from '../../executor/tasks/container-garbage.ts';
import { slotIdFromText } from '../../src/model/ids.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

/** A Docker with these containers, some of which it cannot remove. */
class StuckDocker implements Pick<Containers, 'list' | 'remove'> {
  readonly #containers: Set<ListedContainer>;
  readonly #stuck: ReadonlySet<string>;

  constructor(containers: readonly ListedContainer[], stuck: readonly string[]) {
    this.#containers = new Set(containers);
    this.#stuck = new Set(stuck);
  }

  list(): Promise<readonly ListedContainer[]> {
    return Promise.resolve([...this.#containers]);
  }

  remove(id: string): Promise<void> {
    if (this.#stuck.has(id))
      return Promise.reject(new PatchpanelError('external', 'device or resource busy'));
    for (const container of this.#containers) if (container.id === id) this.#containers.delete(container);
    return Promise.resolve();
  }

  get ids(): readonly string[] {
    return [...this.#containers].map(({ id }) => id);
  }
}

const app = (id: string, runId = 'dead'): ListedContainer => ({
  id,
  name: `patchpanel-app-${id}`,
  taskId: id,
  runId,
  endpoint: { slot: slotIdFromText('/web#0'), epoch: 1 },
  role: 'app',
  running: true,
});

function garbageOf(containers: readonly ListedContainer[], stuck: readonly string[]) {
  const docker = new StuckDocker(containers, stuck);
  const log = recordingLogger();
  const garbage = new ContainerGarbage(
    docker as Partial<Containers> as Containers,
    () => false,
    new ManualClock(),
    log,
  );
  return { docker, log, garbage };
}

const stuckOnes = ['s1', 's2', 's3', 's4', 's5'];
const containers = [...stuckOnes, 'a', 'b'].map((id) => app(id));

test('leftovers that Docker cannot remove are given back, and the others are gone', async () => {
  const { docker, log, garbage } = garbageOf([...containers, { ...app('c'), role: 'sandbox' }], stuckOnes);
  const left = await garbage.removeLeftovers();
  expect(left.map(({ id }) => id).sort()).toEqual(stuckOnes);
  expect(docker.ids).toEqual(stuckOnes);
  expect(log.lines.filter((line) => line === 'a container could not be removed')).toHaveLength(5);
});

test('a round removes the strays that can be removed, however many cannot', async () => {
  const { docker, garbage } = garbageOf(containers, stuckOnes);
  await garbage.collect();
  await garbage.collect();
  expect(docker.ids).toEqual(stuckOnes);
});

test('what a run left is reported when it could not be removed, after all else of it is gone', async () => {
  const { docker, garbage } = garbageOf([app('s1'), app('a'), app('x', 'other')], ['s1']);
  await expect(garbage.removeOf('dead')).rejects.toMatchObject({
    code: 'external',
    message: 'Docker could not remove patchpanel-app-s1',
  });
  expect(docker.ids).toEqual(['s1', 'x']);
});
