import { beforeEach, describe, expect, test } from '@jest/globals';
import { appId, incarnationTaskId, longestAppId } from '../../src/model/ids.ts';
import { ApiHarness } from '../support/api.ts';
import { anApp } from '../support/core-bench.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

describe('an id of the greatest length', () => {
  const onHost = (id: string) => ({
    id,
    container: { docker: { image: 'web:1' } },
    networks: [{ mode: 'host' }],
  });
  const longest = `/${'a'.repeat(longestAppId - 1)}`;

  test('is taken, and its tasks have ids that Mesos takes', async () => {
    expect((await api.call('POST', '/v2/apps', onHost(longest))).status).toBe(201);
    const uuid = '1b671a64-40d5-491e-99b0-da01ff1f3341';
    expect(incarnationTaskId(appId(longest), uuid, 2 ** 32)).toHaveLength(255);
  });

  test('is not exceeded within a group', async () => {
    const group = { id: '/shop', apps: [onHost('a'.repeat(longestAppId - 5))] };
    const { status, body } = await api.call('POST', '/v2/groups', group);
    expect(status).toBe(422);
    expect(body['details']).toMatchObject([
      { path: '/apps(0)/id', errors: ['must not have more than 194 characters'] },
    ]);
  });

  test('is exceeded by an app that was stored without the bound, which is shown and may be deleted', async () => {
    const stored = anApp(`${longest}a`, { network: { mode: 'host' } });
    api.step({ kind: 'change', change: { kind: 'put-apps', apps: [stored], force: false } });
    expect((await api.call('GET', `/v2/apps${stored.id}`)).status).toBe(200);
    expect((await api.call('DELETE', `/v2/queue${stored.id}/delay`)).status).toBe(204);
    expect((await api.call('DELETE', `/v2/apps${stored.id}`)).status).toBe(200);
  });
});
