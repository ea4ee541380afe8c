import { expect, test } from '@jest/globals';
import type { Effect, Frame } from '../../scheduler/core/effects.ts';
import type { Event } from '../../scheduler/core/events.ts';
import { FramePipeline, type PipelineLimits } from '../../scheduler/driver/frame-pipeline.ts';
import type { RecordWrite } from '../../scheduler/store/store.ts';
import { taskId } from '../../src/model/ids.ts';

/** Each event is a `launch-unknown` that names its number; its frame writes and publishes that number. */
const numbered = (n: number): Event => ({ kind: 'launch-unknown', taskIds: [taskId(String(n))] });

function frameOf(event: Event): Frame {
  const n = event.kind === 'launch-unknown' ? event.taskIds[0]! : event.kind;
  return {
    writes: [{ kind: 'meta', key: n, value: n }],
    effects: [{ kind: 'publish', event: { type: n, fields: {} } }],
    result: { kind: 'accepted', version: n },
  };
}

interface HeldCommit {
  readonly writes: readonly RecordWrite[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A pipeline with a store whose commits end when the test says so, and a journal of what happened. */
function pipelineWithHeldStore(
  limits?: PipelineLimits,
  step: (event: Event) => Frame = frameOf,
  monotonicMs: () => number = () => performance.now(),
) {
  const journal: string[] = [];
  const commits: HeldCommit[] = [];
  const fatal: unknown[] = [];
  const name = (effect: Effect): string => (effect.kind === 'publish' ? effect.event.type : effect.kind);
  const pipeline = new FramePipeline(
    {
      step: (event) => {
        const frame = step(event);
        journal.push(`step ${frame.writes[0]?.key ?? '-'}`);
        return frame;
      },
      commit: (writes) =>
        new Promise((resolve, reject) => {
          journal.push(`commit ${writes.map((write) => write.key).join(',')}`);
          commits.push({ writes, resolve, reject });
        }),
      prepare: (frame) =>
        frame.effects.map((effect) => {
          journal.push(`prepare ${name(effect)}`);
          return () => journal.push(`effect ${name(effect)}`);
        }),
      onFatal: (error) => fatal.push(error),
      monotonicMs,
    },
    limits,
  );
  return { pipeline, journal, commits, fatal };
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('no effect and no answer leaves before the frame is durable', async () => {
  const { pipeline, journal, commits } = pipelineWithHeldStore();
  let answer: unknown;
  const submitted = pipeline.submit(numbered(1)).then((result) => (answer = result));
  await turns();
  expect(journal).toEqual(['step 1', 'prepare 1', 'commit 1']);
  expect(answer).toBeUndefined();
  commits[0]!.resolve();
  await submitted;
  expect(journal.at(-1)).toBe('effect 1');
  expect(answer).toEqual({ kind: 'accepted', version: '1' });
});

test('events are stepped while a commit is under way and share the next one', async () => {
  const { pipeline, journal, commits } = pipelineWithHeldStore();
  void pipeline.submit(numbered(1));
  await turns();
  const later = Promise.all([pipeline.submit(numbered(2)), pipeline.submit(numbered(3))]);
  await turns();
  expect(journal.slice(3)).toEqual(['step 2', 'prepare 2', 'step 3', 'prepare 3']);
  commits[0]!.resolve();
  await turns();
  expect(journal.slice(7)).toEqual(['effect 1', 'commit 2,3']);
  commits[1]!.resolve();
  await later;
  expect(journal.slice(9)).toEqual(['effect 2', 'effect 3']);
});

test('a frame without writes still waits for the frames before it', async () => {
  const step = (event: Event): Frame =>
    event.kind === 'tick'
      ? { writes: [], effects: [{ kind: 'publish', event: { type: 'tick', fields: {} } }] }
      : frameOf(event);
  const { pipeline, journal, commits } = pipelineWithHeldStore(undefined, step);
  void pipeline.submit(numbered(1));
  await turns();
  const ticked = pipeline.submit({ kind: 'tick' });
  await turns();
  expect(journal).not.toContain('effect tick');
  commits[0]!.resolve();
  await ticked;
  expect(journal.slice(-2)).toEqual(['effect 1', 'effect tick']);
});

/** A frame with these many effects, and a clock by which everything takes 5 ms. */
const slow = (effects: number): [(event: Event) => Frame, () => number] => {
  let now = 0;
  const step = (event: Event): Frame => {
    const frame = frameOf(event);
    return { ...frame, effects: Array.from({ length: effects }, () => frame.effects[0]!) };
  };
  return [step, () => (now += 5)];
};

test('other work gets its turn between the many effects of one frame', async () => {
  const { pipeline, journal, commits } = pipelineWithHeldStore(undefined, ...slow(100));
  const submitted = pipeline.submit(numbered(1));
  await turns();
  commits[0]!.resolve();
  await turns();
  const early = journal.filter((line) => line === 'effect 1').length;
  expect(early).toBeGreaterThan(0);
  expect(early).toBeLessThan(100);
  await submitted;
  expect(journal.filter((line) => line === 'effect 1')).toHaveLength(100);
});

test('no further effect leaves when deciding fails between the effects of one frame', async () => {
  const [step, clock] = slow(100);
  const failing = (event: Event): Frame => {
    if (event.kind === 'tick') throw new Error('broken');
    return step(event);
  };
  const { pipeline, journal, commits, fatal } = pipelineWithHeldStore(undefined, failing, clock);
  const submitted = pipeline.submit(numbered(1)).catch((error: unknown) => error);
  await turns();
  commits[0]!.resolve();
  await turns();
  await expect(pipeline.submit({ kind: 'tick' })).rejects.toThrow('broken');
  const left = journal.length;
  expect(await submitted).toMatchObject({ code: 'unavailable' });
  expect(journal).toHaveLength(left);
  expect(journal.filter((line) => line === 'effect 1').length).toBeLessThan(100);
  expect(fatal).toHaveLength(1);
});

test('frames without writes pass again and again without a commit', async () => {
  const { pipeline, journal } = pipelineWithHeldStore(undefined, () => ({ writes: [], effects: [] }));
  for (let i = 0; i < 5; i += 1) await pipeline.submit({ kind: 'tick' });
  expect(journal).toEqual(Array.from({ length: 5 }, () => 'step -'));
});

test('an event that the world has overtaken is passed over', async () => {
  const { pipeline, journal, commits } = pipelineWithHeldStore();
  let overtaken = false;
  void pipeline.submit(numbered(1));
  const late = pipeline.submit(numbered(2), () => !overtaken);
  overtaken = true;
  expect(await late).toBeUndefined();
  await turns();
  commits[0]!.resolve();
  expect(journal.filter((entry) => entry.startsWith('step'))).toEqual(['step 1']);
});

test('when the store fails nothing leaves, everybody waiting is told, and the failure is reported once', async () => {
  const { pipeline, journal, commits, fatal } = pipelineWithHeldStore();
  const first = pipeline.submit(numbered(1)).catch((error: unknown) => error);
  await turns();
  const second = pipeline.submit(numbered(2)).catch((error: unknown) => error);
  await turns();
  commits[0]!.reject(new Error('disk full'));
  expect(await first).toMatchObject({ message: 'disk full' });
  expect(await second).toMatchObject({ code: 'unavailable' });
  await expect(pipeline.submit(numbered(3))).rejects.toMatchObject({ code: 'unavailable' });
  await turns();
  expect(journal.some((entry) => entry.startsWith('effect'))).toBe(false);
  expect(commits).toHaveLength(1);
  expect(fatal).toHaveLength(1);
});

test('a step that throws stops the deciding, and no effect leaves after it', async () => {
  const { pipeline, journal, commits, fatal } = pipelineWithHeldStore(undefined, (event) => {
    if (event.kind === 'tick') throw new Error('a defect');
    return frameOf(event);
  });
  const first = pipeline.submit(numbered(1)).catch((error: unknown) => error);
  await turns();
  await expect(pipeline.submit({ kind: 'tick' })).rejects.toThrow('a defect');
  commits[0]!.resolve();
  expect(await first).toMatchObject({ code: 'unavailable' });
  expect(fatal).toHaveLength(1);
  expect(journal.some((entry) => entry.startsWith('effect'))).toBe(false);
});

test('closing finishes the frames that were decided and refuses the rest', async () => {
  const { pipeline, journal, commits } = pipelineWithHeldStore();
  const first = pipeline.submit(numbered(1));
  await turns();
  const closing = pipeline.close();
  await expect(pipeline.submit(numbered(2))).rejects.toMatchObject({ code: 'unavailable' });
  commits[0]!.resolve();
  await closing;
  await first;
  expect(journal.at(-1)).toBe('effect 1');
});

test('deciding pauses while too many frames wait for the store, and sources can wait for room', async () => {
  const { pipeline, journal, commits } = pipelineWithHeldStore({
    maxQueued: 3,
    maxUndurable: 2,
    maxCommitWrites: 500,
  });
  const all = Promise.all([1, 2, 3, 4, 5].map((n) => pipeline.submit(numbered(n))));
  await turns();
  expect(journal.filter((entry) => entry.startsWith('step'))).toEqual(['step 1', 'step 2']);
  expect(pipeline.full).toBe(true);
  let room = false;
  const waited = pipeline.room().then(() => (room = true));
  await turns();
  expect(room).toBe(false);
  commits[0]!.resolve();
  await waited;
  for (let i = 1; i < 3; i += 1) {
    await turns();
    commits[i]!.resolve();
  }
  await all;
  expect(journal.filter((entry) => entry.startsWith('effect'))).toHaveLength(5);
});

test('a commit takes as many frames as a store takes at once, the rest goes with the next one', async () => {
  const limits = { maxQueued: 100, maxUndurable: 100, maxCommitWrites: 2 };
  const { pipeline, journal, commits } = pipelineWithHeldStore(limits);
  const all = Promise.all([1, 2, 3, 4, 5].map((n) => pipeline.submit(numbered(n))));
  for (let n = 0; n < 3; n += 1) {
    await turns();
    commits[n]!.resolve();
  }
  await all;
  expect(journal.filter((entry) => entry.startsWith('commit'))).toEqual([
    'commit 1,2',
    'commit 3,4',
    'commit 5',
  ]);
});
