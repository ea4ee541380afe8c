import { expect, test } from '@jest/globals';
import type { OwnPort, PortWish } from '../../executor/adapters/ovsdb/port-plan.ts';
import { Attachments, type AttachmentParts } from '../../executor/fabric/attachments.ts';
import { Sweeper } from '../../executor/fabric/sweeper.ts';
import { endpointKey, type EndpointKey } from '../../src/fabric/view.ts';
import { appId, slotId } from '../../src/model/ids.ts';
import type { SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { createLogger } from '../../src/runtime/logger.ts';

const web: EndpointKey = { slot: slotId(appId('/web'), 0), epoch: 1 };
const spec: SwitchNetworkSpec = {
  mode: 'switch',
  name: 'default',
  ip: '10.32.0.5',
  prefixLength: 16,
  mac: '0a:07:0a:20:00:05',
  gateway: '10.32.0.1',
  mtu: 1450,
  hostname: '0-web',
  domain: 'patchpanel.internal',
  dns: [],
};
const never = new AbortController().signal;

/** Open vSwitch and the kernel in memory, with a record of what was done in which order. */
function newBench(overrides: Partial<AttachmentParts> = {}, gone = () => false) {
  const ports = new Map<string, OwnPort>();
  const done: string[] = [];
  const lost: string[] = [];
  let serial = 0;
  const add = (wish: PortWish) => {
    if (gone()) throw new PatchpanelError('external', 'no such device');
    const own = { portUuid: wish.veth, actualOfport: wish.ofport, error: undefined, ifindex: 7 };
    ports.set(wish.veth, { ...own, ...wish });
  };
  const attachments: Attachments = new Attachments({
    owner: 'key',
    runId: 'run-2',
    clock: systemClock,
    log: createLogger('test', 'silent'),
    takeNumber: () => ({ ofport: 32_768 + serial, veth: `pp${serial++}h` }),
    links: { create: async (wish) => void done.push(`veth ${wish.veth}`), configure: async () => undefined },
    ports: { list: () => [...ports.values()], add: async (wish) => add(wish) },
    unplug: async (veth) => {
      ports.delete(veth);
      done.push(`unplug ${veth}`);
    },
    commitFlows: async () => void done.push(`flows ${[...attachments.ofports().keys()].join() || 'none'}`),
    inView: async () => undefined,
    gatewayMac: () => undefined,
    onPortLost: (endpoint, reason) => void lost.push(`${endpointKey(endpoint)}: ${reason}`),
    onInheritedLost: (endpoint) => void lost.push(`${endpointKey(endpoint)}: another's`),
    ...overrides,
  });
  return { attachments, ports, done, lost };
}

test('flows leave first, then the port and the veth', async () => {
  const { attachments, done, ports } = newBench();
  attachments.prepare(web, spec);
  await attachments.attach(web, 42, never);
  expect([...ports.keys()]).toEqual(['pp0h']);
  done.length = 0;
  await attachments.detach(web);
  expect(done).toEqual(['flows none', 'unplug pp0h']);
  expect(attachments.veths().size).toBe(0);
});

test('attaching twice is one attach', async () => {
  const { attachments, done } = newBench();
  attachments.prepare(web, spec);
  await Promise.all([attachments.attach(web, 42, never), attachments.attach(web, 42, never)]);
  expect(done.filter((step) => step.startsWith('veth'))).toHaveLength(1);
});

test('what was not prepared cannot be attached', async () => {
  await expect(newBench().attachments.attach(web, 42, never)).rejects.toMatchObject({ code: 'invalid' });
});

test.each([
  { mac: '01:00:5e:00:00:01' },
  { mac: '0a:07:0a:20:00:05 up\nlink delete dev eth0' },
  { ip: '10.32.0' },
  { gateway: '' },
  { prefixLength: 33 },
  { mtu: 100 },
])('a network of %j is refused before anything is made', async (change) => {
  const { attachments, done } = newBench();
  attachments.prepare(web, { ...spec, ...change });
  await expect(attachments.attach(web, 42, never)).rejects.toMatchObject({ code: 'invalid' });
  expect(done.filter((step) => step.startsWith('veth'))).toEqual([]);
});

test('after a failed attach nothing is left, and the next attempt has another veth name and number', async () => {
  let fail = true;
  const { attachments, ports, done } = newBench({
    inView: async () => {
      if (fail) throw new PatchpanelError('deadline', 'no view');
    },
  });
  attachments.prepare(web, spec);
  await expect(attachments.attach(web, 42, never)).rejects.toThrow('no view');
  expect([...ports.keys()]).toEqual([]);
  expect(done).toContain('unplug pp0h');
  fail = false;
  await attachments.attach(web, 42, never);
  expect([...attachments.ofports().values()]).toEqual([32_769]);
});

test('a detach in the middle of an attach ends it and leaves nothing', async () => {
  const { attachments, ports } = newBench({
    inView: (_endpoint, _timeoutMs, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new PatchpanelError('aborted', 'given up')), {
          once: true,
        });
      }),
  });
  attachments.prepare(web, spec);
  const attach = expect(attachments.attach(web, 42, never)).rejects.toMatchObject({ code: 'aborted' });
  await attachments.detach(web);
  await attach;
  expect([...ports.keys()]).toEqual([]);
  expect(attachments.ofports().size).toBe(0);
});

test('a departure that failed is gone on with later, and its number is not given to anybody meanwhile', async () => {
  let away = false;
  const { attachments, ports } = newBench({
    commitFlows: async () => {
      if (away) throw new PatchpanelError('unavailable', 'Open vSwitch is away');
    },
  });
  attachments.prepare(web, spec);
  await attachments.attach(web, 42, never);
  away = true;
  await expect(attachments.detach(web)).rejects.toThrow('away');
  expect([...ports.keys()]).toEqual(['pp0h']);
  expect(attachments.veths()).toEqual(new Set(['pp0h']));
  away = false;
  await attachments.retryDepartures();
  expect([...ports.keys()]).toEqual([]);
  expect(attachments.veths().size).toBe(0);
});

test('what an earlier executor left keeps its flows until it is detached', async () => {
  const { attachments, ports, done } = newBench();
  const left: OwnPort = {
    portUuid: 'p',
    owner: 'key',
    runId: 'run-1',
    endpoint: web,
    veth: 'pp9h',
    mac: '0a:07:0a:20:00:01',
    ip: '10.32.0.1',
    ofport: 33_000,
    actualOfport: 33_000,
    error: undefined,
    ifindex: 3,
  };
  ports.set('pp9h', left);
  attachments.adopt([left]);
  expect(attachments.ofports()).toEqual(new Map([['/web#0@1', 33_000]]));
  expect(attachments.inherited((id) => id !== 'run-1')).toEqual([]);
  expect(attachments.inherited((id) => id === 'run-1')).toEqual([web]);
  await attachments.detach(web);
  expect(done).toEqual(['flows none', 'unplug pp9h']);
});

test('what another executor attached is plugged in again with its own marks, and removed when its veth is gone', async () => {
  const { attachments, ports, done, lost } = newBench();
  const theirs: OwnPort = {
    portUuid: 'p',
    owner: 'key',
    runId: 'run-1',
    endpoint: web,
    veth: 'pp9h',
    mac: '0a:07:0a:20:00:01',
    ip: '10.32.0.1',
    ofport: 33_000,
    actualOfport: 33_000,
    error: undefined,
    ifindex: 3,
  };
  attachments.adopt([theirs]);
  expect(attachments.sandboxPid(web)).toBe('unknown');
  attachments.knowSandbox(web, 42);
  expect(attachments.sandboxPid(web)).toBe(42);
  await attachments.replug(never);
  expect(ports.get('pp9h')).toMatchObject({ runId: 'run-1', ip: theirs.ip, mac: theirs.mac });
  ports.set('pp9h', { ...theirs, ifindex: 0 });
  attachments.watch();
  await new Promise(setImmediate);
  expect(lost).toEqual(["/web#0@1: another's"]);
  expect(done).toEqual(['flows none', 'unplug pp9h']);
  expect(attachments.sandboxPid(web)).toBeUndefined();
});

test('a lost port is reported once, one under construction never', async () => {
  const { attachments, ports, lost } = newBench();
  attachments.prepare(web, spec);
  attachments.watch();
  await attachments.attach(web, 42, never);
  attachments.watch();
  expect(lost).toEqual([]);
  ports.set('pp0h', { ...ports.get('pp0h')!, ifindex: 0 });
  attachments.watch();
  attachments.watch();
  expect(lost).toEqual(['/web#0@1: its veth is gone']);
});

test('a port that somebody took off the bridge is plugged in again, and lost only if that does not work', async () => {
  const { attachments, ports, lost } = newBench();
  attachments.prepare(web, spec);
  await attachments.attach(web, 42, never);
  ports.clear();
  attachments.watch();
  attachments.watch();
  expect(ports.get('pp0h')).toMatchObject({ ofport: 32_768, endpoint: web });
  expect(lost).toEqual([]);
});

test('a port that cannot be plugged in again fails its task with the reason', async () => {
  let gone = false;
  const { attachments, ports, lost } = newBench({}, () => gone);
  attachments.prepare(web, spec);
  await attachments.attach(web, 42, never);
  gone = true;
  ports.clear();
  attachments.watch();
  await new Promise(setImmediate);
  expect(lost).toEqual(['/web#0@1: its port was removed from the bridge: no such device']);
});

test('a port is not lost while nobody can plug it in, because the bridge is gone', async () => {
  const away = new PatchpanelError('unavailable', 'bridge br-pp is gone; it is being made again');
  let reachable = true;
  const { attachments, ports, lost } = newBench({
    ports: {
      list: () => [...ports.values()],
      add: async (wish) => {
        if (!reachable) throw away;
        ports.set(wish.veth, { portUuid: 'p', actualOfport: 1, error: undefined, ifindex: 7, ...wish });
      },
    },
  });
  attachments.prepare(web, spec);
  await attachments.attach(web, 42, never);
  reachable = false;
  ports.clear();
  attachments.watch();
  await new Promise(setImmediate);
  expect(lost).toEqual([]);
  reachable = true;
  attachments.watch();
  expect([[...ports.keys()], lost]).toEqual([['pp0h'], []]);
});

test('ports that the database forgot are plugged in again', async () => {
  const { attachments, ports } = newBench();
  attachments.prepare(web, spec);
  await attachments.attach(web, 42, never);
  ports.clear();
  await attachments.replug(never);
  expect(ports.get('pp0h')).toMatchObject({ ofport: 32_768, endpoint: web });
});

test('a stray is removed in the second round that finds it, and counted', async () => {
  const there = new Set(['pp1h', 'pp2h']);
  const sweeper = new Sweeper({
    find: async () => [...there],
    wanted: () => new Set(['pp2h']),
    remove: async (veth) => void there.delete(veth),
  });
  expect(await sweeper.round()).toEqual([]);
  expect(await sweeper.round()).toEqual(['pp1h']);
  expect(await sweeper.round()).toEqual([]);
  expect(there).toEqual(new Set(['pp2h']));
  expect(sweeper.counts).toEqual({ found: 1, removed: 1 });
});

test('a stray that could not be removed is tried again in the next round', async () => {
  let refuse = true;
  const there = new Set(['pp1h']);
  const sweeper = new Sweeper({
    find: async () => [...there],
    wanted: () => new Set(),
    remove: async (veth) => {
      if (refuse) throw new Error('busy');
      there.delete(veth);
    },
  });
  await sweeper.round();
  await expect(sweeper.round()).rejects.toThrow('busy');
  refuse = false;
  expect(await sweeper.round()).toEqual(['pp1h']);
});
