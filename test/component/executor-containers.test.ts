import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectDocker } from '../../executor/adapters/docker/connection.ts';
import { DockerContainers } from '../../executor/adapters/docker/docker-containers.ts';
import { sandboxContainer } from '../../executor/core/tasks/container-spec.ts';
import { readLaunch } from '../../executor/core/tasks/desired.ts';
import type { ContainerDeath } from '../../executor/core/tasks/containers.ts';
import type { ListedContainer } from '../../executor/core/tasks/containers.ts';
import { ContainerGarbage } from '../../executor/tasks/container-garbage.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { startTestEngine, type TestEngine } from '../support/docker.ts';
import { TaskBench, taskInfo, taskSpec } from '../support/executor-tasks.ts';
import { recordingLogger } from '../support/recording-logger.ts';

let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine();
  await host('any').ensurePauseImage(process.arch);
});

afterAll(async () => {
  await engine?.stop();
});

const host = (key: string) => new DockerContainers(connectDocker(`unix://${engine.socket}`), key);

/** A running sandbox of some host; gives its name. */
async function sandboxOn(hostKey: string): Promise<string> {
  const launch = readLaunch(taskInfo(taskSpec()));
  if (launch.kind === 'refused' || launch.task.plug === undefined) throw new Error('a wrong specification');
  const { task } = launch;
  const name = `ppx-${task.taskId}`;
  const spec = sandboxContainer(task, launch.task.plug, 'patchpanel/pause:1', {
    hostKey,
    agentId: 'a',
    runId: 'run',
    ipv6: true,
  });
  await host(hostKey).create(name, spec);
  await host(hostKey).start(name);
  return name;
}

test('the image of the sandboxes is made once and does nothing but wait', async () => {
  await host('any').ensurePauseImage(process.arch);
  const name = await sandboxOn('pause');
  const facts = await host('pause').inspect(name);
  expect(facts).toMatchObject({ running: true, pid: expect.any(Number) });
  const top = await engine.docker.getContainer(name).top();
  expect(top.Processes).toHaveLength(1);
  await host('pause').remove(name);
  expect(await host('pause').inspect(name)).toBeUndefined();
});

test('leftovers of this host are removed and those of another host are not touched', async () => {
  const ours = await sandboxOn('left-1');
  const theirs = await sandboxOn('left-2');
  const garbage = new ContainerGarbage(host('left-1'), () => false, systemClock, recordingLogger());
  await garbage.removeLeftovers();
  expect(await host('left-1').inspect(ours)).toBeUndefined();
  expect(await host('left-2').inspect(theirs)).toMatchObject({ running: true });
  await host('left-2').remove(theirs);
});

test('a stray is removed when two rounds have seen it, and what a task has is kept', async () => {
  const containers = host('strays');
  const stray = await sandboxOn('strays');
  const wanted = await sandboxOn('strays');
  const isWanted = ({ taskId }: ListedContainer) => wanted === `ppx-${taskId}`;
  const garbage = new ContainerGarbage(containers, isWanted, systemClock, recordingLogger());
  await garbage.collect();
  expect(await containers.inspect(stray)).toBeDefined();
  await garbage.collect();
  expect(await containers.inspect(stray)).toBeUndefined();
  expect(await containers.inspect(wanted)).toBeDefined();
  await containers.remove(wanted);
});

test('the end of a container is told to its own host only', async () => {
  const deaths: ContainerDeath[] = [];
  const abort = new AbortController();
  const name = await sandboxOn('deaths-1');
  const other = await sandboxOn('deaths-2');
  await new Promise<void>((resolve, reject) => {
    const follow = async () => {
      const end = () =>
        void Promise.all([host('deaths-2').remove(other), host('deaths-1').signal(name, 'SIGKILL')]).catch(
          reject,
        );
      for await (const death of host('deaths-1').deaths(end, abort.signal)) {
        deaths.push(death);
        return resolve();
      }
    };
    follow().catch(reject);
  });
  abort.abort();
  expect(deaths).toEqual([{ role: 'sandbox', taskId: name.slice('ppx-'.length) }]);
  await host('deaths-1').remove(name);
});

test('output is copied completely and in order, and full files are put aside', async () => {
  const bench = await TaskBench.start(host('output'), 'output', 2048);
  try {
    const cmd = 'i=1; while [ $i -le 900 ]; do echo "line $i"; i=$((i+1)); done; echo oops >&2';
    const id = bench.launch(taskSpec({ cmd }));
    await bench.reaches(id, 'TASK_FINISHED');
    await bench.tasks.emptied();
    const files = await Promise.all(['stdout.2', 'stdout.1', 'stdout'].map((file) => bench.output(id, file)));
    for (const file of files) expect(file.length).toBeLessThanOrEqual(2048);
    const kept = files.join('').trimEnd().split('\n');
    const first = Number(kept[0]?.split(' ')[1]);
    expect(first).toBeLessThanOrEqual(900 - kept.length + 1);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => `line ${first + index}`));
    expect(kept.at(-1)).toBe('line 900');
    expect(await bench.output(id, 'stderr')).toBe('oops\n');
  } finally {
    await bench.stop();
  }
});

test('output that is read in two parts has every entry once', async () => {
  const bench = await TaskBench.start(host('resume'), 'resume');
  try {
    const id = bench.launch(taskSpec({ cmd: 'for i in 1 2 3 4 5; do echo $i; done; sleep 1000' }));
    await bench.reaches(id, 'TASK_RUNNING');
    const seen: string[] = [];
    let last: string | undefined;
    // Each time the stream is broken off after one piece and continued after the last entry of it.
    while (seen.length < 5) {
      const abort = new AbortController();
      for await (const entries of host('resume').output(bench.name(id, 'app'), false, last, abort.signal)) {
        for (const entry of entries.slice(0, 2)) seen.push(Buffer.from(entry.text).toString().trim());
        last = entries[Math.min(1, entries.length - 1)]?.at;
        break;
      }
      abort.abort();
    }
    expect(seen).toEqual(['1', '2', '3', '4', '5']);
  } finally {
    await bench.stop();
  }
});
