import { expect, test } from '@jest/globals';
import { flowReports, monitorRemovals, monitorWrites } from '../../executor/adapters/openflow/messages.ts';
import { Rewriter } from '../../executor/fabric/rewriter.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { ManualClock } from '../support/manual-clock.ts';

const flowMonitor = 16;

/** A multipart reply with an update for each event, as OpenFlow 1.4 has it: 40 bytes each, the cookie at 16. */
function replyOf(events: readonly { readonly event: number; readonly cookie: bigint }[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 + 40 * events.length));
  view.setUint16(0, flowMonitor);
  for (const [index, { event, cookie }] of events.entries()) {
    const at = 8 + 40 * index;
    view.setUint16(at, 40);
    view.setUint16(at + 2, event);
    view.setBigUint64(at + 16, cookie);
  }
  return new Uint8Array(view.buffer);
}

test('a monitor tells of flows that were added, changed and removed', () => {
  const body = replyOf([
    { event: 1, cookie: 0x1_0000n },
    { event: 3, cookie: 7n },
    { event: 2, cookie: 0n },
    { event: 4, cookie: 0n },
  ]);
  expect([...flowReports(body)]).toEqual([
    { kind: 'written', cookie: 0x1_0000n },
    { kind: 'written', cookie: 7n },
    { kind: 'removed' },
  ]);
});

test('an answer about something else, a cut one and one with a length of nothing tell nothing', () => {
  const other = replyOf([{ event: 1, cookie: 1n }]);
  new DataView(other.buffer).setUint16(0, 1);
  expect([...flowReports(other)]).toEqual([]);
  expect([...flowReports(replyOf([{ event: 1, cookie: 1n }]).subarray(0, 24))]).toEqual([]);
  const endless = replyOf([
    { event: 4, cookie: 1n },
    { event: 1, cookie: 1n },
  ]);
  new DataView(endless.buffer).setUint16(8, 0);
  expect([...flowReports(endless)]).toEqual([]);
});

test('removals are asked for in one table, writing in all, as two monitors', () => {
  const fields = (body: Uint8Array) => {
    const view = new DataView(body.buffer);
    return { monitor: view.getUint32(8), flags: view.getUint16(20), table: view.getUint8(22) };
  };
  expect(fields(monitorRemovals(2))).toEqual({ monitor: 1, flags: 0b0100, table: 2 });
  expect(fields(monitorWrites())).toEqual({ monitor: 2, flags: 0b1010, table: 0xff });
});

test('touches within a moment are answered once, and without any it is all written anew every five minutes', () => {
  const clock = new ManualClock();
  let rewrites = 0;
  const rewriter = new Rewriter({
    clock,
    log: createLogger('test', 'silent'),
    rewrite: async () => void (rewrites += 1),
  });
  rewriter.start();
  for (let touch = 0; touch < 10; touch += 1) rewriter.touched('a stranger wrote');
  expect(rewrites).toBe(0);
  clock.advance(100);
  expect(rewrites).toBe(1);
  rewriter.touched('again');
  clock.advance(100);
  expect(rewrites).toBe(2);
  clock.advance(5 * 60_000);
  expect(rewrites).toBe(3);
  rewriter.stop();
  rewriter.touched('too late');
  clock.advance(60 * 60_000);
  expect(rewrites).toBe(3);
});

test('a failure to write anew is told, but not that the executor stops meanwhile', async () => {
  const warnings: string[] = [];
  const told = async (error: PatchpanelError) => {
    const log = { ...createLogger('test', 'silent'), warn: (text: string) => void warnings.push(text) };
    const rewrite = async () => {
      throw error;
    };
    new Rewriter({ clock: new ManualClock(), log, rewrite }).now();
    await new Promise((resolve) => setImmediate(resolve));
    return warnings.splice(0);
  };
  expect(await told(new PatchpanelError('aborted', 'the executor stops'))).toEqual([]);
  expect(await told(new PatchpanelError('external', 'the switch refuses'))).toHaveLength(1);
});
