import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ApiHarness } from '../support/api.ts';

let api: ApiHarness;

beforeAll(async () => {
  api = new ApiHarness();
  await api.call('PUT', '/v2/groups/shop', { apps: [app('web')] });
});

afterAll(() => api.server.close());

const app = (id: string) => ({
  id,
  instances: 0,
  dependencies: ['../db'],
  container: { docker: { image: 'web:1' } },
  labels: { 'patchpanel.deploymentDeadlineSeconds': '60' },
});

/** A valid definition, so that most of what a mutation reaches is checked. */
const valid = {
  id: '/shop',
  dependencies: ['/base'],
  enforceRole: false,
  apps: [app('web'), app('api')],
  groups: [{ id: 'back', dependencies: ['../front'], apps: [app('db')], groups: [{ id: 'deep' }] }],
};

type Path = readonly (string | number)[];

/** Every place in a JSON value. */
const pathsOf = (value: unknown, path: Path = []): Path[] =>
  value === null || typeof value !== 'object'
    ? [path]
    : [path, ...Object.entries(value).flatMap(([key, field]) => pathsOf(field, [...path, key]))];

function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, index) => (index === Number(first) ? replaced(item, rest, by) : item));
  const fields = value as Record<string, unknown>;
  return { ...fields, [first]: replaced(fields[first], rest, by) };
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    '..',
    '../../../..',
    '/',
    '/shop',
    'Not_An_Id',
    'a/../../b',
    -1,
    1.5,
    1e300,
    true,
    [],
    {},
  ),
  fc.string(),
  fc.jsonValue(),
);

const bodies = fc.record({
  path: fc.constantFrom(...pathsOf(valid)),
  by: junk,
  more: fc.constantFrom(
    {},
    { scaleBy: 2 },
    { scaleBy: -1 },
    { version: 'x' },
    { groups: [{ id: '/elsewhere' }] },
  ),
  method: fc.constantFrom('PUT' as const, 'POST' as const, 'PATCH' as const),
});

test('whatever a body holds, it is taken as a whole or refused with a reason, and then nothing has changed', async () => {
  const stored = () => JSON.stringify([...api.world.groups.values(), ...api.world.apps.values()]);
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(bodies, async ({ path, by, more, method }) => {
      const before = stored();
      const mutated = replaced(valid, path, by);
      const isObject = mutated !== null && typeof mutated === 'object' && !Array.isArray(mutated);
      const { status, body } = await api.call(
        method,
        '/v2/groups/shop',
        JSON.stringify(isObject ? { ...mutated, ...more } : mutated),
      );
      expect(status).toBeLessThan(500);
      if (status < 400) return;
      refusals++;
      expect(body['message']).toEqual(expect.any(String));
      expect(stored()).toBe(before);
    }),
    { numRuns: 300 },
  );
  expect(refusals).toBeGreaterThan(150);
});
