import { expect, test } from '@jest/globals';
import { LeaderAnnouncer } from '../../scheduler/driver/mesos/leader-announcer.ts';
import type { MasterCall } from '../../src/mesos/calls.ts';
import { agentId, executorId } from '../../src/model/ids.ts';
import { ManualClock } from '../support/manual-clock.ts';

test('executors without a view stream are told where the leader is until they come', () => {
  const clock = new ManualClock();
  const sent: MasterCall[] = [];
  const connected = new Set(['S0']);
  const announcer = new LeaderAnnouncer({
    clock,
    send: (call) => Promise.resolve(sent.push(call)),
    executors: () =>
      ['S0', 'S1'].map((agent) => ({
        agentId: agentId(agent),
        executorId: executorId(`E-${agent}`),
        info: {},
      })),
    isConnected: (host) => connected.has(host),
    leader: { url: 'http://leader:8080', term: 7 },
    everyMs: 10_000,
  });
  announcer.start();
  expect(sent).toHaveLength(1);
  expect(sent[0]?.message).toMatchObject({ agent_id: { value: 'S1' }, executor_id: { value: 'E-S1' } });
  expect(JSON.parse(Buffer.from(sent[0]!.message!.data).toString())).toEqual({
    schema: 1,
    leader: { url: 'http://leader:8080', term: 7 },
  });
  clock.advance(10_000);
  expect(sent).toHaveLength(2);
  connected.add('S1');
  clock.advance(20_000);
  expect(sent).toHaveLength(2);
  announcer.stop();
  expect(clock.pendingTimers).toBe(0);
});
