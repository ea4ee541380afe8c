import { beforeEach, expect, test } from '@jest/globals';
import { HostQuestions } from '../../scheduler/driver/views/host-questions.ts';
import type { Entrance, HostQuestion, PathFrame } from '../../src/fabric/path/question.ts';
import { agentId, slotId, appId, type AgentId } from '../../src/model/ids.ts';
import { ManualClock } from '../support/manual-clock.ts';

const [one, two] = [agentId('S1'), agentId('S2')];
const entrance: Entrance = { kind: 'endpoint', endpoint: { slot: slotId(appId('/web'), 0), epoch: 3 } };
const frame: PathFrame = {
  protocol: 'icmp',
  sourceMac: '0a:07:0a:20:00:0a',
  destinationMac: '0a:07:0a:20:00:0b',
  source: '10.32.0.10',
  destination: '10.32.0.11',
  ttl: 64,
};

let clock: ManualClock;
let sent: { host: AgentId; question: HostQuestion }[];
let connected: boolean;
let questions: HostQuestions;

beforeEach(() => {
  clock = new ManualClock();
  sent = [];
  connected = true;
  questions = new HostQuestions({
    clock,
    send: (host, question) => connected && sent.push({ host, question }) > 0,
  });
});

const answerTo = (index: number) => ({
  id: sent[index]!.question.id,
  kind: 'trace' as const,
  trace: 'text',
  ports: [],
});

test('the host that was asked answers, once', async () => {
  const asked = questions.ask(one, frame, entrance);
  expect(sent).toMatchObject([{ host: 'S1', question: { frame, entrance } }]);
  expect(questions.answered(two, answerTo(0))).toBe(false);
  expect(questions.answered(one, answerTo(0))).toBe(true);
  expect(questions.answered(one, answerTo(0))).toBe(false);
  expect(await asked).toEqual(answerTo(0));
});

test('a host without a stream, one that is silent and too many questions fail, each with a reason', async () => {
  connected = false;
  await expect(questions.ask(one, frame, entrance)).rejects.toMatchObject({ code: 'unavailable' });
  connected = true;
  const asked = Array.from({ length: 256 }, () =>
    questions.ask(one, frame, entrance).catch((e: unknown) => e),
  );
  await expect(questions.ask(one, frame, entrance)).rejects.toMatchObject({ code: 'unavailable' });
  clock.advance(5_000);
  expect(await asked[0]).toMatchObject({ code: 'deadline', message: expect.stringContaining('/web#0@3') });
  expect(questions.answered(one, answerTo(0))).toBe(false);
  // Those that are over make room.
  void questions.ask(one, frame, entrance);
  expect(questions.answered(one, answerTo(256))).toBe(true);
});
