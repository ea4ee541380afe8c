import { beforeAll, describe, expect, test } from '@jest/globals';
import type { OpenApiDocument } from '../../scheduler/api/openapi/document.ts';
import { ApiHarness } from '../support/api.ts';

let api: ApiHarness;
let document: OpenApiDocument;

beforeAll(async () => {
  api = new ApiHarness();
  document = (await api.server.inject({ method: 'GET', url: '/v2/openapi.json' })).json<OpenApiDocument>();
});

test('is an OpenAPI 3.1 document whose references all lead somewhere', () => {
  expect(document['openapi']).toBe('3.1.0');
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to]) => to ?? '');
  expect(references.length).toBeGreaterThan(20);
  const names = new Set(Object.keys(document.components.schemas));
  expect(references.filter((to) => !names.has(to.replace('#/components/schemas/', '')))).toEqual([]);
  for (const [path, methods] of Object.entries(document.paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const { parameters, responses } of Object.values(methods)) {
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(inPath);
      expect(Object.keys(responses).length).toBeGreaterThan(1);
    }
  }
});

test('every route is described, and everything described has a route', async () => {
  const routes = [...api.server.offeredMethods].flatMap(([url, methods]) =>
    [...methods].filter((method) => !['HEAD', 'OPTIONS'].includes(method)).map((method) => ({ method, url })),
  );
  expect(routes.length).toBeGreaterThan(30);
  const missing = routes.filter(({ method, url }) => !isDescribed(method, url));
  // To describe a route, add an operation in scheduler/api/openapi/operations.
  expect(missing).toEqual([]);
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const method of Object.keys(methods)) {
      const url = path.replaceAll(/\{\w+\}/g, 'some-thing.1');
      const { status, body } = await api.call(method.toUpperCase() as 'GET', url, {});
      const isThere =
        !JSON.stringify(body).includes('URI not found') && (status !== 405 || path === '/v2/events');
      expect({ method, path, isThere }).toEqual({ method, path, isThere: true });
    }
  }
});

/** Whether the document has the method for the path, or for some path below a wildcard. */
function isDescribed(method: string, route: string): boolean {
  const template = route.replaceAll('::', ':').replaceAll(/(?<!:):(\w+)/g, '{$1}');
  const paths = Object.keys(document.paths).filter(
    (path) => method.toLowerCase() in (document.paths[path] ?? {}),
  );
  return template.endsWith('*')
    ? paths.some((path) => path.startsWith(template.slice(0, -1)))
    : paths.includes(template);
}

test('bounds of numbers are in the description', () => {
  const { AppDefinition, GroupUpdate } = document.components.schemas;
  expect(AppDefinition).toMatchObject({
    properties: { instances: { maximum: 10_000 }, taskKillGracePeriodSeconds: { maximum: 3_153_600_000 } },
  });
  expect(GroupUpdate).toMatchObject({ properties: { scaleBy: { maximum: 10_000 } } });
});

test('bodies are described by the schemas that check them', () => {
  const { schemas } = document.components as {
    schemas: Record<string, { properties: object; required?: string[] }>;
  };
  expect(Object.keys(schemas['AppDefinition']?.properties ?? {})).toEqual(
    expect.arrayContaining(['id', 'container', 'healthChecks', 'upgradeStrategy', 'uris']),
  );
  expect(schemas['AppDefinition']?.required).toEqual(['id']);
  expect(schemas['AppUpdate']?.required ?? []).toEqual([]);
});

describe('the page', () => {
  test('shows every operation and schema, and needs nothing from elsewhere', async () => {
    const { body, headers } = await api.server.inject({ method: 'GET', url: '/help' });
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
    for (const path of Object.keys(document.paths)) expect(body).toContain(`<code>${path}</code>`);
    for (const name of Object.keys(document.components.schemas))
      expect(body).toContain(`id="schema-${name}"`);
    expect(body).not.toMatch(/<script|\ssrc=|https?:\/\/|url\(/);
    const targets = [...body.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id ?? '');
    expect(targets.filter((id) => !body.includes(`id="${id}"`))).toEqual([]);
  });
});
