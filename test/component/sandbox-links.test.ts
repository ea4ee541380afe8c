import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configureSandboxes, createVeths, deleteVeths } from '../../executor/adapters/netns/veth.ts';
import type { LinkWish } from '../../executor/core/fabric/link.ts';
import { run } from '../../src/runtime/process.ts';

const boxes: ChildProcess[] = [];
let wishes: readonly LinkWish[];

beforeAll(async () => {
  for (let i = 0; i < 4; i += 1) {
    // It ends with our end of its input.
    const box = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
    boxes.push(box);
    box.stdin.write('ready\n');
    await once(box.stdout, 'data');
  }
  wishes = boxes.map(({ pid }, i) => ({
    owner: 'pp-test-links',
    veth: `ppl${process.pid % 100_000}x${i}`,
    sandboxPid: pid!,
    mac: `0a:00:00:00:00:0${i + 1}`,
    mtu: 1450,
    ip: `10.32.0.${i + 2}`,
    prefixLength: 16,
    gateway: '10.32.0.1',
    gatewayMac: '0a:00:00:00:01:01',
  }));
  expect(await createVeths(wishes)).toEqual(wishes.map(() => undefined));
});

afterAll(async () => {
  if (wishes !== undefined) await deleteVeths(wishes.map(({ veth }) => veth));
  for (const box of boxes) box.kill('SIGKILL');
});

const inside = (wish: LinkWish, ...command: readonly string[]): Promise<string> =>
  run('nsenter', ['--target', String(wish.sandboxPid), '--net', ...command]);

test('of sandboxes that are configured together each has its own outcome', async () => {
  const [good, unreachable, gone, last] = wishes;
  const errors = await configureSandboxes(
    [good!, { ...unreachable!, gateway: '10.99.0.1' }, { ...gone!, sandboxPid: 2 ** 22 + 1 }, last!],
    true,
  );
  expect(errors.map((error) => error?.message)).toEqual([
    undefined,
    expect.stringMatching(/^the sandbox of 10\.32\.0\.3 could not be configured: .*invalid gateway/),
    expect.stringMatching(/^the sandbox of 10\.32\.0\.4 could not be configured: nsenter: .*No such file/),
    undefined,
  ]);
  for (const wish of [good!, last!]) {
    expect(await inside(wish, 'ip', '-4', '-oneline', 'address')).toContain(`inet ${wish.ip}/16 brd`);
    expect(await inside(wish, 'ip', 'route')).toContain('default via 10.32.0.1 dev eth0');
    expect(await inside(wish, 'ip', 'neighbour')).toContain('10.32.0.1 dev eth0 lladdr 0a:00:00:00:01:01');
    expect(await inside(wish, 'ethtool', '-k', 'eth0')).toContain('tx-checksumming: off');
  }
});

test('checksums stay with the device where the datapath can carry such frames, and a second time changes nothing', async () => {
  const [, second] = wishes;
  expect(await configureSandboxes([second!], false)).toEqual([undefined]);
  expect(await configureSandboxes([second!], false)).toEqual([undefined]);
  expect(await inside(second!, 'ethtool', '-k', 'eth0')).toContain('tx-checksumming: on');
});
