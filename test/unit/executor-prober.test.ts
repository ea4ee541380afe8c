import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { launch, type LaunchOutcome } from '../../executor/adapters/launcher/launch.ts';
import { HostProber } from '../../executor/adapters/probes/host-prober.ts';
import type { Finding, Question } from '../../executor/adapters/probes/question.ts';
import { runProgramsBy } from '../../executor/adapters/program.ts';
import type { ProbeSpec } from '../../src/model/task-spec.ts';

const target = { container: 'pp-app', sandboxPid: 1, address: '10.32.0.9' };
const well: ProbeSpec = { kind: 'tcp', port: 1 };
/** It is asked and does not answer. */
const hanging: ProbeSpec = { kind: 'tcp', port: 2 };
/** Its probe does not even come so far that it asks. */
const starting: ProbeSpec = { kind: 'tcp', port: 3 };

const found = (finding: Finding): LaunchOutcome => ({
  kind: 'ended',
  exitCode: 0,
  stdout: `\n${JSON.stringify(finding)}`,
  stderr: '',
});

let begun: number;
let held: Promise<void>;
let letGo: () => void;
/** Whether those that are well answer only at the last moment. */
let late: boolean;
let prober: HostProber;

beforeEach(() => {
  begun = 0;
  late = false;
  hold();
  runProgramsBy(async ({ input }, onOutput) => {
    begun += 1;
    const { probe } = JSON.parse(input) as Question;
    if (probe.port !== 3) onOutput?.();
    if (probe.port !== 1) await held;
    return found({ outcome: { kind: 'success' }, late: late || probe.port === 2 });
  });
  const containers = {
    inspect: () => Promise.resolve(undefined),
    run: async (_container: string, argv: readonly string[], _timeoutMs: number, onStarted?: () => void) => {
      begun += 1;
      onStarted?.();
      if (argv.at(-1) === 'hang') await held;
      return { exitCode: 0, output: '' };
    },
  };
  prober = new HostProber({ containers, node: 'node', program: 'probe.cjs' });
});

function hold(): void {
  held = new Promise((resolve) => (letGo = resolve));
}

afterEach(() => runProgramsBy(launch));

const ask = (probe: ProbeSpec) => prober.probe(probe, target, 20_000);
const command = (text: string): ProbeSpec => ({ kind: 'command', command: text });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('probes are answered while 16 commands do not end', async () => {
  let ended = 0;
  const waiting = Array.from({ length: 16 }, () => ask(command('hang')).finally(() => (ended += 1)));
  expect(await ask(well)).toEqual({ kind: 'success' });
  expect(await ask(command('true'))).toEqual({ kind: 'success' });
  expect(ended).toBe(0);
  letGo();
  await Promise.all(waiting);
});

test('of 16 tasks that go on hanging four are probed at a time, and all others meanwhile', async () => {
  const tasks = Array.from({ length: 16 }, (): ProbeSpec => ({ ...hanging }));
  const first = tasks.map((task) => ask(task));
  letGo();
  await Promise.all(first);
  hold();
  begun = 0;
  const again = tasks.map((task) => ask(task));
  for (let i = 0; i < 16; i += 1) await turn();
  expect(begun).toBe(4);
  await Promise.all(Array.from({ length: 10 }, () => ask({ ...well })));
  expect(begun).toBe(14);
  letGo();
  await Promise.all(again);
  expect(begun).toBe(26);
});

test('a task that answers in time again has its place among the others', async () => {
  late = true;
  await ask(well);
  late = false;
  await ask(well);
  const hung = Array.from({ length: 4 }, (): ProbeSpec => ({ ...hanging }));
  const first = hung.map((task) => ask(task));
  letGo();
  await Promise.all(first);
  hold();
  const again = hung.map((task) => ask(task));
  expect(await ask(well)).toEqual({ kind: 'success' });
  letGo();
  await Promise.all(again);
});

test('only four start at the same time', async () => {
  const asked = Array.from({ length: 10 }, () => ask(starting));
  await turn();
  expect(begun).toBe(4);
  letGo();
  await Promise.all(asked);
  expect(begun).toBe(10);
});

test.each([
  ['network', hanging, 8],
  ['command', command('hang'), 128],
])('as many %s probes wait as may, and the others for them', async (_what, probe, most) => {
  const asked = Array.from({ length: most + 5 }, () => ask(probe));
  // Each start makes room for the next one in a few turns.
  for (let i = 0; i < most; i += 1) await turn();
  expect(begun).toBe(most);
  letGo();
  await Promise.all(asked);
  expect(begun).toBe(most + 5);
});
