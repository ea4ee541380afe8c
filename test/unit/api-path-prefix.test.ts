import { expect, test } from '@jest/globals';
import { ApiHarness, webApp } from '../support/api.ts';

const api = new ApiHarness({ pathPrefix: '/service/patchpanel' });

const get = async (url: string): Promise<number> =>
  (await api.server.inject({ method: 'GET', url })).statusCode;

test('below a prefix everything is answered with it and without it', async () => {
  for (const path of ['/ping', '/v2/info', '/v2/apps?label=a', '/v1/networks/default', '/metrics']) {
    expect([path, await get(path), await get(`/service/patchpanel${path}`)]).toEqual([path, 200, 200]);
  }
});

test.each(['/service/patchpanelx/ping', '/service/ping', '/service', '/other/v2/info'])(
  'what only looks like the prefix is not found: %s',
  async (path) => expect(await get(path)).toBe(404),
);

test('where a new app is to be found is said with the prefix', async () => {
  const answer = await api.server.inject({
    method: 'POST',
    url: '/service/patchpanel/v2/apps',
    payload: JSON.stringify(webApp),
  });
  expect([answer.statusCode, answer.headers.location]).toEqual([
    201,
    `/service/patchpanel/v2/apps${webApp.id}`,
  ]);
  expect(await get(answer.headers.location!)).toBe(200);
});
