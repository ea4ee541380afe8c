import { expect, test } from '@jest/globals';
import { GroupCommit } from '../../scheduler/store/group-commit.ts';

/** A writer whose writes end when the test says so. */
function heldWriter() {
  const groups: string[][] = [];
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const write = (items: readonly string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      groups.push([...items]);
      ends.push({ resolve, reject });
    });
  return { groups, ends, write };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('commits during a write become one write', async () => {
  const { groups, ends, write } = heldWriter();
  const commits = new GroupCommit<string>(write);
  const all = [commits.commit(['a']), commits.commit(['b', 'c']), commits.commit(['d'])];
  expect(groups).toEqual([['a']]);
  ends[0]!.resolve();
  await turn();
  expect(groups).toEqual([['a'], ['b', 'c', 'd']]);
  ends[1]!.resolve();
  await Promise.all(all);
});

test('a commit resolves only when its own write has ended', async () => {
  const { ends, write } = heldWriter();
  const commits = new GroupCommit<string>(write);
  const done: string[] = [];
  void commits.commit(['a']).then(() => done.push('a'));
  void commits.commit(['b']).then(() => done.push('b'));
  ends[0]!.resolve();
  await turn();
  expect(done).toEqual(['a']);
  ends[1]!.resolve();
  await turn();
  expect(done).toEqual(['a', 'b']);
});

test('after a failed write nothing later is written', async () => {
  const { groups, ends, write } = heldWriter();
  const commits = new GroupCommit<string>(write);
  const first = commits.commit(['a']);
  const second = commits.commit(['b']);
  ends[0]!.reject(new Error('disk full'));
  await expect(first).rejects.toThrow('disk full');
  await expect(second).rejects.toThrow('disk full');
  await expect(commits.commit(['c'])).rejects.toThrow('disk full');
  expect(groups).toEqual([['a']]);
});

test('closing waits for the write under way and refuses what comes after', async () => {
  const { ends, write } = heldWriter();
  const commits = new GroupCommit<string>(write);
  const first = commits.commit(['a']);
  let closed = false;
  const closing = commits.close().then(() => (closed = true));
  await expect(commits.commit(['b'])).rejects.toMatchObject({ code: 'unavailable' });
  expect(closed).toBe(false);
  ends[0]!.resolve();
  await first;
  await closing;
});
