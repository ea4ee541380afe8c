import { expect, test } from '@jest/globals';
import { Batcher } from '../../executor/fabric/batcher.ts';
import { runAttach } from '../../executor/fabric/attach.ts';
import { FlowTable, type FlowSink } from '../../executor/fabric/flow-table.ts';
import { FlowObjects } from '../../src/fabric/flow-objects.ts';
import type { Flow, FlowDiff } from '../../src/fabric/flow.ts';
import type { ObjectKey } from '../../src/fabric/object-key.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';

const silent = createLogger('test', 'silent');

/** Promises that the test resolves in its own order. */
class Gate {
  readonly #open: ((error?: unknown) => void)[] = [];
  #arrived: (() => void)[] = [];

  pass(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#open.push((error) => (error === undefined ? resolve() : reject(error)));
      for (const tell of this.#arrived.splice(0)) tell();
    });
  }

  async waiting(): Promise<void> {
    if (this.#open.length === 0) await new Promise<void>((resolve) => this.#arrived.push(resolve));
  }

  async release(error?: unknown): Promise<void> {
    await this.waiting();
    this.#open.shift()!(error);
  }
}

test('what comes while a batch is under way goes together in the next one', async () => {
  const gate = new Gate();
  const batches: (readonly number[])[] = [];
  const batcher = new Batcher<number>({
    what: 'numbers',
    maxBatch: 10,
    maxQueued: 100,
    flush: (items) => {
      batches.push(items);
      return gate.pass();
    },
  });
  const first = [batcher.add(1), batcher.add(2)];
  await gate.waiting();
  const second = [batcher.add(3), batcher.add(4), batcher.add(5)];
  await gate.release();
  await Promise.all(first);
  await gate.release();
  await Promise.all(second);
  expect(batches).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
});

test('a bad item fails alone', async () => {
  const batcher = new Batcher<number>({
    what: 'numbers',
    maxBatch: 10,
    maxQueued: 100,
    flush: async (items) => {
      if (items.includes(2)) throw new Error(`cannot do ${items.join()}`);
    },
  });
  const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)));
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(results[1]).toMatchObject({ reason: { message: 'cannot do 2' } });
});

test('a flush that did what it could fails only the items that it names', async () => {
  const batcher = new Batcher<number>({
    what: 'numbers',
    maxBatch: 10,
    maxQueued: 100,
    flush: async (items) => items.map((item) => (item === 2 ? new Error('not this one') : undefined)),
  });
  const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item)));
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

test('a queue that is full refuses instead of growing', async () => {
  const gate = new Gate();
  const batcher = new Batcher<number>({
    what: 'numbers',
    maxBatch: 1,
    maxQueued: 2,
    flush: () => gate.pass(),
  });
  const taken = [batcher.add(1)];
  await gate.waiting();
  taken.push(batcher.add(2), batcher.add(3));
  await expect(batcher.add(4)).rejects.toMatchObject({ code: 'unavailable' });
  for (const _ of taken) await gate.release();
  await Promise.all(taken);
});

const flow = (priority: number): Flow => ({ table: 0, priority, match: '', actions: 'drop', cookie: 1n });

/** A switch in memory that the test can hold up and make fail. */
class FakeSwitch implements FlowSink {
  readonly calls: string[] = [];
  readonly gate = new Gate();
  flows = new Set<number>();

  async replaceAll(flows: readonly Flow[]): Promise<void> {
    await this.gate.pass();
    this.calls.push(`replace ${flows.length}`);
    this.flows = new Set(flows.map((each) => each.priority));
  }

  async apply(diff: FlowDiff): Promise<void> {
    await this.gate.pass();
    this.calls.push(`add ${diff.add.length} remove ${diff.remove.length}`);
    for (const each of diff.add) this.flows.add(each.priority);
    for (const each of diff.remove) this.flows.delete(each.priority);
  }
}

class Wanted {
  objects = FlowObjects.of([]);

  put(priority: number): void {
    const key: ObjectKey = `port:${priority}`;
    this.objects = this.objects.with([[key, [flow(priority)]]]);
  }

  remove(priority: number): void {
    this.objects = this.objects.with([[`port:${priority}`, undefined]]);
  }
}

function newTable() {
  const sink = new FakeSwitch();
  const wanted = new Wanted();
  const problems: (string | undefined)[] = [];
  const table = new FlowTable({
    sink,
    wanted: () => wanted.objects,
    clock: systemClock,
    random: () => 0,
    log: silent,
    onProblem: (problem) => void problems.push(problem),
  });
  return { sink, wanted, table, problems };
}

test('flows of many callers share one bundle, and each is told only when its own are in force', async () => {
  const { sink, wanted, table } = newTable();
  table.switchUp();
  await sink.gate.release();
  await table.commit();
  wanted.put(1);
  const first = table.commit();
  await sink.gate.waiting();
  let secondDone = false;
  wanted.put(2);
  wanted.put(3);
  const second = Promise.all([table.commit(), table.commit()]).then(() => (secondDone = true));
  await sink.gate.release();
  await first;
  expect({ secondDone, flows: [...sink.flows] }).toEqual({ secondDone: false, flows: [1] });
  await sink.gate.release();
  await second;
  expect(sink.calls).toEqual(['replace 0', 'add 1 remove 0', 'add 2 remove 0']);
  expect(table.size).toBe(3);
  await table.stop();
});

test('nothing to change costs no bundle', async () => {
  const { sink, table } = newTable();
  table.switchUp();
  await sink.gate.release();
  await table.commit();
  await table.commit();
  expect(sink.calls).toEqual(['replace 0']);
  await table.stop();
});

test('commits wait while the switch is away; when it is back everything is written anew', async () => {
  const { sink, wanted, table } = newTable();
  wanted.put(1);
  const early = table.commit();
  table.switchUp();
  await sink.gate.release();
  await early;
  table.switchDown();
  wanted.put(2);
  const during = table.commit();
  table.switchUp();
  await sink.gate.release();
  await during;
  expect(sink.calls).toEqual(['replace 1', 'replace 2']);
  expect(table.resyncs).toBe(2);
  await table.stop();
});

test('a bundle that was under way when the switch restarted counts for nothing', async () => {
  const { sink, wanted, table } = newTable();
  table.switchUp();
  await sink.gate.release();
  await table.commit();
  wanted.put(1);
  const commit = table.commit();
  await sink.gate.waiting();
  table.switchDown();
  table.switchUp();
  await sink.gate.release();
  await sink.gate.release();
  await commit;
  expect(sink.calls.at(-1)).toBe('replace 1');
  await table.stop();
});

test('after a failure everything is replaced, and callers are told when it fails again and again', async () => {
  const { sink, wanted, table, problems } = newTable();
  table.switchUp();
  await sink.gate.release();
  await table.commit();
  wanted.put(1);
  const mended = table.commit();
  await sink.gate.release(new Error('busy'));
  await sink.gate.release();
  await mended;
  expect(sink.calls).toEqual(['replace 0', 'replace 1']);
  wanted.remove(1);
  const refused = expect(table.commit()).rejects.toThrow('bad flow');
  for (let attempt = 0; attempt < 3; attempt += 1) await sink.gate.release(new Error('bad flow'));
  await refused;
  expect(problems).toContain('flows are not in force: bad flow');
  await table.stop();
});

test('stopping ends the commits that wait', async () => {
  const { table } = newTable();
  const commit = expect(table.commit()).rejects.toMatchObject({ code: 'aborted' });
  await table.stop();
  await commit;
});

test('the port and the sandbox wait for the veth, the flows for neither', async () => {
  const order: string[] = [];
  const veth = new Gate();
  const attach = runAttach(systemClock, new AbortController().signal, {
    create: async () => {
      await veth.pass();
      order.push('veth');
    },
    configure: async () => void order.push('sandbox'),
    plug: async () => void order.push('port'),
    flows: async () => void order.push('flows'),
  });
  expect(order).toEqual(['flows']);
  await veth.release();
  await attach;
  expect(order.slice(0, 2)).toEqual(['flows', 'veth']);
  expect(order.slice(2).sort()).toEqual(['port', 'sandbox']);
});

test('the first failure of a step stops the others and is what the caller gets', async () => {
  const untilAborted = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
    });
  const attach = runAttach(systemClock, new AbortController().signal, {
    create: async () => undefined,
    configure: () => Promise.reject(new Error('no such namespace')),
    plug: untilAborted,
    flows: untilAborted,
  });
  await expect(attach).rejects.toThrow('no such namespace');
});

test('a veth that cannot be made leaves port and sandbox alone', async () => {
  const attach = runAttach(systemClock, new AbortController().signal, {
    create: () => Promise.reject(new Error('no memory')),
    configure: () => Promise.reject(new Error('must not run')),
    plug: () => Promise.reject(new Error('must not run')),
    flows: async () => undefined,
  });
  await expect(attach).rejects.toThrow('no memory');
});

test('an attach that was cancelled while the veth was made goes no further', async () => {
  const veth = new Gate();
  const cancel = new AbortController();
  const attach = runAttach(systemClock, cancel.signal, {
    create: () => veth.pass(),
    configure: () => Promise.reject(new Error('must not run')),
    plug: () => Promise.reject(new Error('must not run')),
    flows: async () => undefined,
  });
  cancel.abort();
  await veth.release();
  await expect(attach).rejects.toMatchObject({ code: 'aborted' });
});
