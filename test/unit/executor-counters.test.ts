import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { countsOf, statisticsRequest, sumsOf, tellsMore } from '../../executor/adapters/openflow/messages.ts';
import { CounterRows } from '../../executor/core/fabric/counter-rows.ts';
import { FlowTotals, type CountedFlow } from '../../executor/core/fabric/flow-totals.ts';
import { cookieOf, objectNumber } from '../../src/fabric/cookie.ts';
import { pairNumber } from '../../src/fabric/traffic.ts';
import { appId } from '../../src/model/ids.ts';

const web = objectNumber('port:/web#0@1');
const flow = (identity: string, packets: number, round = 1): CountedFlow => ({
  identity,
  cookie: cookieOf(round, 'spoofed', web),
  packets,
  bytes: packets * 100,
});

test('what was there before the first look is not ours; after that every packet is counted once', () => {
  const totals = new FlowTotals();
  expect(totals.look('t', [flow('a', 50)])).toEqual([]);
  expect(totals.look('t', [flow('a', 53)])).toEqual([
    { category: 0x84, object: web, packets: 3, bytes: 300 },
  ]);
  expect(totals.look('t', [flow('a', 53)])).toEqual([]);
});

test('totals go on over a new round, a flow that is made anew and a restart of the switch', () => {
  const totals = new FlowTotals();
  totals.look('t', [flow('a', 10)]);
  totals.look('t', [flow('a', 15, 2)]);
  expect(totals.look('t', [flow('a', 4, 2)])[0]?.packets).toBe(9);
  totals.look('t', []);
  expect(totals.look('t', [flow('a', 6, 3)])[0]?.packets).toBe(15);
  // Flows of one object add up.
  expect(totals.look('t', [flow('a', 6, 3), flow('b', 2, 3)])[0]?.packets).toBe(17);
});

test('totals never shrink, whatever flows do', () => {
  const look = fc.uniqueArray(
    fc.record({ identity: fc.constantFrom('a', 'b', 'c'), packets: fc.nat(1_000) }),
    { selector: ({ identity }) => identity },
  );
  fc.assert(
    fc.property(fc.array(look, { minLength: 1, maxLength: 20 }), (looks) => {
      const totals = new FlowTotals();
      let last = 0;
      for (const flows of looks) {
        const [total] = totals.look(
          't',
          flows.map(({ identity, packets }) => flow(identity, packets)),
        );
        if (total === undefined) continue;
        expect(total.packets).toBeGreaterThan(last);
        last = total.packets;
      }
    }),
  );
});

test('rows carry names, wait until they were taken, and are told again to somebody new', () => {
  const pair = { from: appId('/web'), to: 'outside' as const };
  const rows = new CounterRows();
  let lookUps = 0;
  const objects = () => {
    lookUps += 1;
    return { keys: ['base', 'port:/web#0@1'] as const, pairs: [pair] };
  };
  const total = (category: number, object: number, packets: number) => ({
    category,
    object,
    packets,
    bytes: 1,
  });
  rows.take([total(0x84, web, 3), total(0x20, pairNumber(pair), 7), total(0x89, 0, 1)], objects);
  const first = rows.next();
  expect(first?.rows).toEqual({
    drops: [
      { reason: 'spoofed', subject: 'port:/web#0@1', packets: 3, bytes: 1 },
      { reason: 'unknown-destination', subject: 'base', packets: 1, bytes: 1 },
    ],
    traffic: [{ ...pair, packets: 7, bytes: 1 }],
  });
  expect(rows.next()?.rows).toEqual(first?.rows);
  first?.sent();
  expect(rows.next()).toBeUndefined();
  // Its endpoint is gone: it keeps its name, and nothing is looked up.
  rows.take([total(0x84, web, 4)], objects);
  expect(rows.next()?.rows.drops).toEqual([
    { reason: 'spoofed', subject: 'port:/web#0@1', packets: 4, bytes: 1 },
  ]);
  expect(lookUps).toBe(1);
  rows.tellAll();
  expect(rows.next()?.rows.drops).toHaveLength(2);
});

test('requests and replies for counters are those of OpenFlow 1.4', () => {
  const request = statisticsRequest('flow', {
    table: 40,
    cookie: 0x8000_0000_0000n,
    mask: 0x8000_0000_0000n,
  });
  expect(Buffer.from(request).toString('hex')).toBe(
    '0001000000000000' +
      '28000000ffffffffffffffff00000000' +
      '0000800000000000' +
      '0000800000000000' +
      '0001000400000000',
  );
  const entry = new DataView(new ArrayBuffer(64));
  entry.setUint16(0, 56);
  entry.setUint8(2, 40);
  entry.setUint16(12, 10);
  entry.setBigUint64(24, 0x189_0000_0000_0007n);
  entry.setBigUint64(32, 5n);
  entry.setBigUint64(40, 420n);
  entry.setUint16(48, 1);
  entry.setUint16(50, 4);
  const reply = Buffer.concat([Buffer.from('0001000100000000', 'hex'), Buffer.from(entry.buffer, 0, 56)]);
  expect(tellsMore(reply)).toBe(true);
  expect(countsOf(reply)).toEqual([
    { identity: '40 10 \u0000\u0001\u0000\u0004', cookie: 0x189_0000_0000_0007n, packets: 5, bytes: 420 },
  ]);
  expect(() => countsOf(reply.subarray(0, 20))).toThrow(/bytes among/);
  const sums = Buffer.from('00020000000000000000000000000009000000000000000a0000000300000000', 'hex');
  expect(sumsOf([sums])).toEqual({ packets: 9, flows: 3 });
});
