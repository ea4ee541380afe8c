import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { SelfTestResult } from '../../src/model/host.ts';
import { bundleForTest } from '../support/bundle.ts';
import { host, view } from '../support/fabric-views.ts';
import { startUnderlay, type TestHost, type TestUnderlay } from '../support/openvswitch.ts';
import { eventually, flowLines, veths, viewHost } from '../support/switch-bench.ts';
import { buildDriver, SwitchProcess } from '../support/switch-process.ts';

let driver: Awaited<ReturnType<typeof buildDriver>>;
let selfTestProgram: string;
let underlay: TestUnderlay;
let hosts: readonly [TestHost, TestHost];

beforeAll(async () => {
  driver = await buildDriver();
  selfTestProgram = path.resolve(await bundleForTest('executor/adapters/selftest/space-main.ts', 'selftest'));
});
afterAll(async () => {
  await driver.close();
  await rm(selfTestProgram, { force: true });
});

beforeEach(async () => {
  underlay = await startUnderlay('ppst', 2);
  hosts = [underlay.hosts[0]!, underlay.hosts[1]!];
});
afterEach(() => underlay.close());

test('a host that carries traffic passes, by itself and to a peer, and nothing of it stays', async () => {
  const switches = [newSwitch(hosts[0]), newSwitch(hosts[1])];
  await Promise.all(switches.map((each) => each.start()));
  const both = view(hosts.map(viewHost), [], [], 1);
  await Promise.all(switches.map((each) => each.view(both)));
  await eventually(async () => {
    const peer = viewHost(hosts[1]).hostname;
    expect(await resultOf(switches[0]!)).toEqual({ passed: true, peer });
  });
  await eventually(async () => expect(await leftOn(hosts[0])).toEqual(nothing));
});

test('a host whose namespaces leave checksums to the device fails, and says where', async () => {
  const programs = await directory();
  // Every call succeeds and changes nothing: offloading stays as the kernel makes it, on.
  await symlink('/bin/true', path.join(programs, 'ethtool'));
  const broken = newSwitch(hosts[0], { PATH: `${programs}:${process.env['PATH']}` });
  await broken.start();
  await eventually(async () => {
    const result = await resultOf(broken);
    expect(result).toMatchObject({ passed: false });
    expect(result?.problem).toMatch(/^TCP between two namespaces of this host: 0 of \d+ bytes came back/);
  }, 30_000);
  await eventually(async () => expect(await leftOn(hosts[0])).toEqual(nothing));
});

test('an executor that is killed in the middle of it leaves no namespace, and the next one takes its ports away', async () => {
  const first = newSwitch(hosts[0]);
  await first.start();
  // Nobody answers there: the test waits for it while both namespaces are plugged in.
  const absent = host('absent', '198.19.250.200');
  await first.offerView(view([viewHost(hosts[0]), absent], [], [], 1));
  await eventually(async () => {
    expect((await first.status()).attached).toHaveLength(2);
    expect(await spaces()).toHaveLength(2);
    expect(await testFlows(hosts[0])).not.toEqual([]);
  });
  await first.kill();
  await eventually(async () => expect(await spaces()).toEqual([]));

  const next = new SwitchProcess(driver.file, hosts[0]);
  underlay.defer(() => next.kill());
  await next.start();
  await next.cleanUp();
  expect(await next.status()).toMatchObject({ ports: 0, attached: [] });
  await eventually(async () => expect(await leftOn(hosts[0])).toEqual(nothing));
});

function newSwitch(on: TestHost, env: Readonly<Record<string, string>> = {}): SwitchProcess {
  const made = new SwitchProcess(driver.file, on, { selfTestProgram }, env);
  underlay.defer(() => made.kill());
  return made;
}

/** The last result that the host has told its scheduler. */
const resultOf = async (of: SwitchProcess): Promise<SelfTestResult | undefined> =>
  (await of.status()).reports.flatMap(({ facts }) => facts?.selfTest ?? []).at(-1);

const nothing = { spaces: [], veths: [], flows: [] };

const leftOn = async (on: TestHost): Promise<Record<keyof typeof nothing, readonly string[]>> => ({
  spaces: await spaces(),
  veths: await veths(on),
  flows: await testFlows(on),
});

/** Flows of the pair of namespaces and of what stands for the peer; those that answer other hosts' tests always stay. */
const testFlows = async (on: TestHost): Promise<string[]> =>
  (await flowLines(on)).filter((line) => /198\.18\.0\.[34]\b/.test(line));

/** Processes of the self-test's program: each holds a namespace. */
async function spaces(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.split('\0').includes(selfTestProgram) ? [pid] : [];
    }),
  );
  return found.flat();
}

async function directory(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'pp-selftest-'));
  underlay.defer(() => rm(made, { recursive: true, force: true }));
  return made;
}
