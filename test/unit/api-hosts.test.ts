import { expect, test } from '@jest/globals';
import { ApiHarness } from '../support/api.ts';

test("a host whose own address is within a network's subnet has a problem in its status", async () => {
  const api = new ApiHarness();
  api.reportHost(0, { applied: '1.1', lag: 0 });
  api.reportHost(1, { applied: '1.1', lag: 0 }, '10.32.9.9');
  const { body } = await api.call('GET', '/v1/hosts');
  expect(body).toMatchObject({
    hosts: [
      { hostname: 'host-0', view: { problem: null } },
      { hostname: 'host-1', view: { problem: expect.stringContaining('10.32.9.9 is within 10.32.0.0/16') } },
    ],
  });
});
