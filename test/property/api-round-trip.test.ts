import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { appId } from '../../src/model/ids.ts';
import { ApiHarness } from '../support/api.ts';
import { definitionArbitrary } from '../support/app-arbitraries.ts';

const runs = { numRuns: 150 };
let made = 0;

interface Read {
  app: Record<string, unknown>;
}

/** Whether everything of `given` is in `found`; what is not given may be anything. */
function isIn(given: unknown, found: unknown): boolean {
  if (Array.isArray(given)) {
    return (
      Array.isArray(found) && given.length === found.length && given.every((one, i) => isIn(one, found[i]))
    );
  }
  if (given !== null && typeof given === 'object') {
    return Object.entries(given).every(([key, value]) =>
      isIn(value, (found as Record<string, unknown>)?.[key]),
    );
  }
  // A port of 0 is one that the scheduler chooses.
  return given === found || (given === 0 && typeof found === 'number');
}

/** What is left out of an answer because it is empty or a default that Marathon does not write. */
const visible = (definition: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(definition).filter(
      ([, value]) => !(value !== null && typeof value === 'object' && Object.keys(value).length === 0),
    ),
  );

/** Posts the definition under an id that nothing has yet, and reads it back. */
async function created(
  api: ApiHarness,
  definition: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  made += 1;
  const id = `/any/app-${made}`;
  const { status, body } = await api.call('POST', '/v2/apps', { ...definition, id });
  expect({ status, body }).toMatchObject({ status: 201 });
  return (await api.call<Read>('GET', `/v2/apps${id}`)).body.app;
}

/** Takes the app out of the way: only so many deployments may be under way. */
function remove(api: ApiHarness, app: Record<string, unknown>): void {
  const change = { kind: 'delete-app', appId: appId(String(app['id'])), force: true } as const;
  api.step({ kind: 'change', change });
}

test('GET after POST has what was posted', async () => {
  const api = new ApiHarness();
  await fc.assert(
    fc.asyncProperty(definitionArbitrary, async (definition) => {
      const app = await created(api, definition);
      expect(isIn(visible(definition), app) ? app : { definition, app }).toBe(app);
      remove(api, app);
    }),
    runs,
  );
});

test('PUT of what GET gave changes nothing, with its run-time fields and as a whole definition', async () => {
  const api = new ApiHarness();
  await fc.assert(
    fc.asyncProperty(definitionArbitrary, fc.boolean(), async (definition, partial) => {
      const app = await created(api, definition);
      const id = appId(String(app['id']));
      api.runAll();
      const before = api.world.apps.get(id);
      const { status } = await api.call('PUT', `/v2/apps${id}?force=true&partialUpdate=${partial}`, app);
      expect(status).toBe(200);
      expect(api.world.apps.get(id)).toBe(before);
      remove(api, app);
    }),
    runs,
  );
});

test('a definition that was normalised once is normalised to itself', async () => {
  const api = new ApiHarness();
  await fc.assert(
    fc.asyncProperty(definitionArbitrary, async (definition) => {
      const once = await created(api, definition);
      const twice = await created(api, once);
      const { id: _a, version: _v, versionInfo: _i, deployments: _d, ...first } = once;
      const { id: _b, version: _w, versionInfo: _j, deployments: _e, ...second } = twice;
      expect(second).toEqual(first);
      remove(api, once);
      remove(api, twice);
    }),
    runs,
  );
});
