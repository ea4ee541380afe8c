import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { launch, type LaunchOutcome } from '../../executor/adapters/launcher/launch.ts';
import { HostProber } from '../../executor/adapters/probes/host-prober.ts';
import type { Question } from '../../executor/adapters/probes/question.ts';
import { runProgramsBy } from '../../executor/adapters/program.ts';
import type { ProbeSpec } from '../../src/model/task-spec.ts';

const target = { container: 'pp-app', sandboxPid: 1, address: '10.32.0.9' };
const well: ProbeSpec = { kind: 'tcp', port: 1 };
/** It is asked and does not answer. */
const hanging: ProbeSpec = { kind: 'tcp', port: 2 };
/** Its probe does not even come so far that it asks. */
const starting: ProbeSpec = { kind: 'tcp', port: 3 };

let begun: number;
let letGo: () => void;
let prober: HostProber;

beforeEach(() => {
  begun = 0;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const success: LaunchOutcome = { kind: 'ended', exitCode: 0, stdout: '\n{"kind":"success"}', stderr: '' };
  runProgramsBy(async ({ input }, onOutput) => {
    begun += 1;
    const { probe } = JSON.parse(input) as Question;
    if (probe.port !== 3) onOutput?.();
    if (probe.port !== 1) await held;
    return success;
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

afterEach(() => runProgramsBy(launch));

const ask = (probe: ProbeSpec) => prober.probe(probe, target, 20_000);
const command = (text: string): ProbeSpec => ({ kind: 'command', command: text });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.each([
  ['tasks that do not answer', hanging],
  ['commands that do not end', command('hang')],
])('probes are answered while those of many %s still wait', async (_what, probe) => {
  let ended = 0;
  const waiting = Array.from({ length: 16 }, () => ask(probe).finally(() => (ended += 1)));
  expect(await ask(well)).toEqual({ kind: 'success' });
  expect(await ask(command('true'))).toEqual({ kind: 'success' });
  expect(ended).toBe(0);
  letGo();
  await Promise.all(waiting);
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
  ['network', hanging, 32],
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
