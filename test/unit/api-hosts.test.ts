import { expect, test } from '@jest/globals';
import { agentId } from '../../src/model/ids.ts';
import { ApiHarness } from '../support/api.ts';

test("a host within a network's subnet has no problem unless its executor, who knows its routes, tells of one", async () => {
  const api = new ApiHarness();
  api.reportHost(0, { applied: '1.1', lag: 0 });
  api.reportHost(1, { applied: '1.1', lag: 0 }, '10.32.9.9');
  const { body } = await api.call('GET', '/v1/hosts');
  expect(body).toMatchObject({
    hosts: [
      { hostname: 'host-0', view: { problem: null } },
      { hostname: 'host-1', view: { problem: null } },
    ],
  });
});

test('a host that its executor cannot serve is told of with the reason, whether it has reported or not', async () => {
  const api = new ApiHarness();
  const unfit = { agentId: agentId('S7'), hostname: 'host-7', problem: 'no Docker' };
  api.world.unfitHosts.set(unfit.agentId, { ...unfit, since: 0, pauseMs: 30_000, until: 30_000 });
  const { body } = await api.call('GET', '/v1/hosts');
  expect(body).toEqual({
    hosts: [],
    unfit: [{ ...unfit, since: '1970-01-01T00:00:00.000Z', until: '1970-01-01T00:00:30.000Z' }],
  });
});
