import { beforeEach, expect, test } from '@jest/globals';
import type { SpaceRequest } from '../../executor/adapters/selftest/exchange.ts';
import { perform } from '../../executor/adapters/selftest/exchange.ts';
import { SelfTest } from '../../executor/fabric/self-test.ts';
import { compile } from '../../src/fabric/compile.ts';
import { hostView } from '../../src/fabric/host-view.ts';
import {
  echoIp,
  echoMac,
  echoPort,
  selfTestSetup,
  withSelfTest,
  type SelfTestSetup,
} from '../../src/fabric/self-test.ts';
import { endpointKey, type View } from '../../src/fabric/view.ts';
import type { SelfTestResult } from '../../src/model/host.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { freePort } from '../../src/devcluster/addresses.ts';
import { frameOf, Pipeline, type Frame } from '../support/fabric-pipeline.ts';
import { endpoint, host, network, switchOf, view } from '../support/fabric-views.ts';
import { ManualClock } from '../support/manual-clock.ts';

const [self, one, two] = [host('self', '10.0.0.1'), host('one', '10.0.0.2'), host('two', '10.0.0.3')];
const red = network('red', 7, '10.1.0.0/24');
const everybody = view([self, one, two], [red], []);

let clock: ManualClock;
let present: View;
let setups: (SelfTestSetup | undefined)[];
let plugged: Set<string>;
let open: number;
let results: SelfTestResult[];
/** What each request of a space answers, and why nothing can be made. */
let problemOf: (request: SpaceRequest, peer: string | undefined) => string | undefined;
let refuse: string | undefined;
let waiting: (() => void)[];

beforeEach(() => {
  clock = new ManualClock();
  present = view([self], [], []);
  [setups, plugged, open, results, waiting] = [[], new Set(), 0, [], []];
  problemOf = () => undefined;
  refuse = undefined;
});

function newTest(): SelfTest {
  return new SelfTest({
    agentId: self.id,
    clock,
    random: () => 0,
    log: createLogger('test', 'silent'),
    newSpace: () => {
      open += 1;
      return {
        start: () => (refuse === undefined ? Promise.resolve(7) : Promise.reject(new Error(refuse))),
        ask: (request) => Promise.resolve(problemOf(request, setups.at(-1)?.echo?.host)),
        close: () => {
          open -= 1;
          if (open === 0) for (const resume of waiting.splice(0)) resume();
          return Promise.resolve();
        },
      };
    },
    view: () => present,
    mtu: () => Promise.resolve(1450),
    arrange: (setup) => Promise.resolve(void setups.push(setup)),
    prepare: (each) => void plugged.add(endpointKey(each)),
    attach: () => Promise.resolve(),
    detach: (each) => Promise.resolve(void plugged.delete(endpointKey(each))),
    onResult: (result) => void results.push(result),
  });
}

/** Lets a test begin and waits until everything of it is taken away. */
async function ran(begin: () => void): Promise<SelfTestResult | undefined> {
  const over = new Promise<void>((resolve) => waiting.push(resolve));
  begin();
  await over;
  await new Promise((resolve) => setImmediate(resolve));
  expect([plugged.size, setups.at(-1)]).toEqual([0, undefined]);
  return results.at(-1);
}

test('a host alone passes without a peer, and tries again when it has one', async () => {
  const selfTest = newTest();
  expect(await ran(() => selfTest.trigger())).toEqual({ passed: true });
  present = everybody;
  expect(await ran(() => selfTest.follow(everybody))).toEqual({ passed: true, peer: 'one.example' });
  selfTest.follow(everybody);
  expect(open).toBe(0);
  await selfTest.stop();
});

test('one peer that does not answer says nothing about this host, two do; it is tried again until it passes', async () => {
  present = everybody;
  const selfTest = newTest();
  problemOf = ({ kind }, peer) => (kind === 'echo' && peer === one.id ? 'nothing came back' : undefined);
  expect(await ran(() => selfTest.trigger())).toEqual({ passed: true, peer: 'two.example' });
  problemOf = (request) =>
    request.kind === 'echo' && request.bytes > 1_000 ? 'nothing came back' : undefined;
  expect(await ran(() => selfTest.trigger())).toMatchObject({
    passed: false,
    problem: expect.stringContaining('packets of 1450 bytes do not reach two.example'),
  });
  problemOf = () => undefined;
  expect(await ran(() => clock.advance(10_000))).toMatchObject({ passed: true });
  await selfTest.stop();
});

test('a host whose only peer does not answer tries again as soon as there is another', async () => {
  const pair = view([self, one], [red], []);
  present = pair;
  const selfTest = newTest();
  problemOf = ({ kind }, peer) => (kind === 'echo' && peer === one.id ? 'nothing came back' : undefined);
  expect(await ran(() => selfTest.trigger())).toMatchObject({ passed: false });
  selfTest.follow(pair);
  expect(open).toBe(0);
  present = everybody;
  expect(await ran(() => selfTest.follow(everybody))).toEqual({ passed: true, peer: 'two.example' });
  await selfTest.stop();
});

test('TCP that does not get through, and a test that cannot be made, fail with the reason and leave nothing', async () => {
  const selfTest = newTest();
  problemOf = ({ kind }) => (kind === 'exchange' ? '0 of 400000 bytes came back' : undefined);
  expect((await ran(() => selfTest.trigger()))?.problem).toMatch(/^TCP between two namespaces.*0 of 400000/);
  // That says nothing about the host: the last result stays.
  refuse = 'no namespaces here';
  expect((await ran(() => clock.advance(10_000)))?.problem).toMatch(/^TCP/);
  expect(results).toHaveLength(1);
  // Nor is it a peer's doing: another one would not help.
  selfTest.follow(everybody);
  expect(open).toBe(0);
  await selfTest.stop();
});

test('a self-test adds flows beside those of the view, none of which it changes', () => {
  const web = endpoint({ app: '/web', network: red, host: self, ip: '10.1.0.5' });
  const far = endpoint({ app: '/web', index: 1, network: red, host: one, ip: '10.1.0.6' });
  const of = hostView(view([self, one], [red], [web, far]), self.id);
  const tested = withSelfTest(of, selfTestSetup(self.id, 3, 1450, one.id));
  const local = switchOf(tested, self.id);
  const before = new Set(
    compile(of, local).map((flow) => JSON.stringify({ ...flow, cookie: `${flow.cookie}` })),
  );
  const after = compile(tested, local).map((flow) => JSON.stringify({ ...flow, cookie: `${flow.cookie}` }));
  for (const flow of before) expect(after).toContain(flow);
  const added = after.filter((flow) => !before.has(flow));
  expect(added.every((flow) => flow.includes('0xfffff') || /in_port=3276[89]|in_port=32770/.test(flow))).toBe(
    true,
  );
  expect(added.join()).toContain('set_field:10.0.0.2->tun_dst');
});

test('a datagram of a self-test comes back from the switch of the other host, which has no endpoint of the network', () => {
  const setup = selfTestSetup(self.id, 1, 1450, one.id);
  const bare = view([self, one], [], []);
  const tested = withSelfTest(bare, setup);
  const here = new Pipeline(compile(tested, switchOf(tested, self.id)));
  const there = new Pipeline(compile(bare, switchOf(bare, one.id)));
  const [sender] = setup.pair;
  const datagram = frameOf({
    in_port: 32_768,
    dl_type: 0x800,
    nw_proto: 17,
    dl_src: sender.mac,
    dl_dst: echoMac,
    nw_src: sender.ip,
    nw_dst: echoIp,
    tp_dst: echoPort,
  });
  const tunnelled = (frame: Frame, from: string): Frame => ({
    ...frame,
    ...frameOf({ in_port: 1, tun_src: from, reg0: 0, reg1: 0, reg2: 0, reg3: 0, reg4: 0 }),
  });
  const [gone] = here.run(datagram).outputs;
  expect([gone?.port, gone?.frame['tun_dst']]).toEqual([1, frameOf({ ip: one.underlayIp })['ip']]);
  const [back] = there.run(tunnelled(gone!.frame, self.underlayIp)).outputs;
  expect([back?.port, back?.frame['tun_dst']]).toEqual([1, frameOf({ ip: self.underlayIp })['ip']]);
  const [come] = here.run(tunnelled(back!.frame, one.underlayIp)).outputs;
  expect(come?.port).toBe(32_768);
  expect(come?.frame).toMatchObject(
    frameOf({ dl_src: echoMac, dl_dst: sender.mac, nw_src: echoIp, nw_dst: sender.ip, tp_dst: echoPort }),
  );
});

test('what the program in a namespace does works on the loopback, and says what does not', async () => {
  const port = await freePort();
  expect(await perform({ kind: 'serve', port })).toEqual({});
  const exchange = { kind: 'exchange', ip: '127.0.0.1', port, bytes: 100_000, timeoutMs: 5_000 } as const;
  expect(await perform(exchange)).toEqual({});
  const { problem } = await perform({ ...exchange, port: await freePort() });
  expect(problem).toMatch(/ECONNREFUSED/);
});
