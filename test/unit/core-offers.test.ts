import { expect, test } from '@jest/globals';
import type { App, Constraint } from '../../src/model/app.ts';
import { agentId, appId, executorId as executorIdOf, offerId } from '../../src/model/ids.ts';
import { anApp, anOffer, CoreBench } from '../support/core-bench.ts';

test('the instance and its slot are stored before the offer is accepted', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [launch] = bench.offer('a1');
  expect(bench.frame.writes.map(({ kind, key }) => `${kind} ${key}`)).toEqual(
    expect.arrayContaining([`instance ${launch!.instance.taskId}`, 'slot /web#0', 'executor a1']),
  );
  expect(launch!.slot).toMatchObject({ epoch: 1, activeEpoch: 1 });
  expect(launch!.executorId).toMatch(/^patchpanel-test-[0-9a-f]{8}$/);
  expect(bench.effects('accept')).toEqual([
    { kind: 'accept', offerIds: ['offer-a1'], agentId: 'a1', launches: [launch] },
  ]);
});

test('instances are spread: fewest of the app first, then the most free', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 4 }));
  const launches = bench.offer(
    anOffer('small', { scalars: { cpus: 1_000, mem: 4_000_000, disk: 0, gpus: 0 } }),
    anOffer('large', { scalars: { cpus: 8_000, mem: 4_000_000, disk: 0, gpus: 0 } }),
    anOffer('middle'),
  );
  expect(launches.map(({ instance }) => instance.agentId).sort()).toEqual([
    'large',
    'large',
    'middle',
    'small',
  ]);
});

test('apps take turns, within an offer and from one to the next', () => {
  const bench = new CoreBench();
  const apps = [anApp('/a', { instances: 3 }), anApp('/b', { instances: 3 })];
  bench.change({ kind: 'put-apps', apps, force: false });
  const room = (n: number) => ({ scalars: { cpus: 100 + n * 100, mem: 4_000_000, disk: 0, gpus: 0 } });
  const served = (agent: string, n: number) => bench.offer(anOffer(agent, room(n))).map(({ app }) => app.id);
  expect(served('a1', 2).toSorted()).toEqual(['/a', '/b']);
  expect([...served('a2', 1), ...served('a3', 1)].toSorted()).toEqual(['/a', '/b']);
});

test('the executor is paid for once, unless it surely runs there', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 9 }));
  const tight = { scalars: { cpus: 300, mem: 4_000_000, disk: 0, gpus: 0 } };
  const first = bench.offer(anOffer('a1', tight));
  expect(first).toHaveLength(2);
  // Not in the offer's list: it may be gone, so it is paid for again, with the same identity.
  const second = bench.offer(anOffer('a1', tight));
  expect(second.map(({ executorId }) => executorId)).toEqual([first[0]!.executorId, first[0]!.executorId]);
  expect(bench.offer(anOffer('a1', { ...tight, executorIds: [first[0]!.executorId] }))).toHaveLength(3);
});

test('an executor of another build keeps its tasks and gets no more: a new one is started beside it', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 1 }));
  const [old] = bench.offer('a1');
  const upgraded = new CoreBench({ executorBuild: 'next' });
  for (const [key, record] of bench.store) upgraded.store.set(key, record);
  upgraded.restart();
  upgraded.change({ kind: 'put-apps', apps: [anApp('/more', { instances: 2 })], force: false });
  const room = { scalars: { cpus: 350, mem: 4_000_000, disk: 0, gpus: 0 } };
  const launches = upgraded.offer(anOffer('a1', { ...room, executorIds: [old!.executorId] }));
  // The new one is paid for, although an executor of ours runs there.
  expect(launches).toHaveLength(2);
  const ids = new Set(launches.map(({ executorId }) => executorId));
  expect(ids.size).toBe(1);
  expect([...ids][0]).toMatch(/^patchpanel-next-/);
  expect(upgraded.world.instances.get(old!.instance.taskId)?.executorId).toBe(old!.executorId);
});

test('an executor of another role keeps its tasks and gets no more, because Mesos refuses to mix them', () => {
  let role = 'before';
  const bench = new CoreBench({
    buildExecutorInfo: () => ({ role }),
    isOfOurRole: (info) => (info as { role: string }).role === role,
  });
  bench.put(anApp('/web', { instances: 1 }));
  const [old] = bench.offer('a1');
  role = 'after';
  bench.restart();
  bench.change({ kind: 'put-apps', apps: [anApp('/more', { instances: 2 })], force: false });
  const launches = bench.offer(anOffer('a1', { executorIds: [old!.executorId] }));
  const ids = new Set(launches.map(({ executorId }) => executorId));
  expect(launches).toHaveLength(2);
  expect(ids.size).toBe(1);
  expect(ids).not.toContain(old!.executorId);
});

test('an executor without tasks that Mesos does not list has ended: the next task gets a new one', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [first] = bench.offer('a1');
  bench.run([first!]);
  bench.status(bench.instance('/web'), 'finished');
  bench.wait(2);
  const listed = bench.offer(anOffer('a1', { executorIds: [first!.executorId] }));
  expect(listed.map(({ executorId }) => executorId)).toEqual([first!.executorId]);
  bench.run(listed);
  bench.status(bench.instance('/web'), 'finished');
  bench.wait(5);
  const [next] = bench.offer('a1');
  expect(next?.executorId).toMatch(/^patchpanel-test-/);
  expect(next?.executorId).not.toBe(first!.executorId);
});

test('several offers of one agent are used together in one call', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { cpus: 1 }));
  const half = { scalars: { cpus: 600, mem: 4_000_000, disk: 0, gpus: 0 } };
  const offers = [anOffer('a1', half), anOffer('a1', { ...half, id: 'other' as never })];
  expect(bench.offer(...offers)).toHaveLength(1);
  expect(bench.effects('accept')[0]?.offerIds).toEqual(['offer-a1', 'other']);
});

test.each([
  ['InsufficientCpus', anOffer('a1', { scalars: { cpus: 150, mem: 9e6, disk: 9e6, gpus: 0 } }), {}],
  ['InsufficientMemory', anOffer('a1', { scalars: { cpus: 9e6, mem: 64_000, disk: 9e6, gpus: 0 } }), {}],
  ['InsufficientDisk', anOffer('a1'), { disk: 1e6 }],
  ['InsufficientGpus', anOffer('a1'), { gpus: 1 }],
  [
    'InsufficientPorts',
    anOffer('a1', { ports: [] }),
    { network: { mode: 'host' }, portDefinitions: [{ port: 0, protocol: 'tcp', labels: {} }] },
  ],
  ['UnfulfilledConstraint', anOffer('a1'), { constraints: [{ field: 'rack', operator: 'UNIQUE' }] }],
  ['AgentMaintenance', anOffer('a1', { unavailableFrom: 1_200_000 }), {}],
] satisfies [string, ReturnType<typeof anOffer>, Partial<App>][])(
  '%s is told of an offer that does not do',
  (reason, offer, fields) => {
    const bench = new CoreBench();
    bench.put(anApp('/web', fields));
    expect(bench.offer(offer)).toEqual([]);
    expect(bench.world.unplaced.get(appId('/web'))).toEqual({
      since: bench.now,
      processed: 1,
      reasons: { [reason]: 1 },
      lastOffers: new Map([[offer.agentId, { offer, reason, at: bench.now }]]),
    });
    expect(bench.effects('decline')).toEqual([
      { kind: 'decline', offerIds: ['offer-a1'], refuseSeconds: 120 },
    ]);
  },
);

test('announced maintenance that is far away is no obstacle', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  expect(bench.offer(anOffer('a1', { unavailableFrom: bench.now + 3_600_000 }))).toHaveLength(1);
});

test('host ports: demanded ones are taken as they are, others from the ranges, none twice', () => {
  const bench = new CoreBench();
  const port = (number: number) => ({ port: number, protocol: 'tcp' as const, labels: {} });
  const app = { network: { mode: 'host' } as const, portDefinitions: [port(31_005), port(0)] };
  bench.put(anApp('/fixed', { ...app, requirePorts: true, instances: 2 }));
  const launches = bench.offer(anOffer('a1', { ports: [{ begin: 31_005, end: 31_007 }] }));
  expect(launches).toHaveLength(1);
  const [demanded, other] = launches[0]!.instance.hostPorts;
  expect(demanded).toBe(31_005);
  expect([31_006, 31_007]).toContain(other);
});

const on = (...racks: string[]) => racks.map((rack, index) => anOffer(`a${index}`, { attributes: { rack } }));
const placed = (
  constraints: Constraint[],
  instances: number,
  offers: ReturnType<typeof anOffer>[],
): string[] => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances, constraints }));
  return bench
    .offer(...offers)
    .map(({ instance }) => instance.attributes['rack'] ?? instance.hostname)
    .sort();
};

test.each([
  ['UNIQUE: one for each value', [{ field: 'rack', operator: 'UNIQUE' }], on('r1', 'r1', 'r2'), ['r1', 'r2']],
  [
    'MAX_PER: so many for each value',
    [{ field: 'rack', operator: 'MAX_PER', value: '2' }],
    on('r1', 'r2'),
    ['r1', 'r1', 'r2', 'r2'],
  ],
  [
    'CLUSTER with a value: only there',
    [{ field: 'rack', operator: 'CLUSTER', value: 'r2' }],
    on('r1', 'r2'),
    ['r2', 'r2', 'r2', 'r2'],
  ],
  [
    'IS: only there',
    [{ field: 'rack', operator: 'IS', value: 'r1' }],
    on('r1', 'r2'),
    ['r1', 'r1', 'r1', 'r1'],
  ],
  [
    'LIKE: where the whole value matches',
    [{ field: 'rack', operator: 'LIKE', value: 'r[0-9]' }],
    on('r10', 'r2'),
    ['r2', 'r2', 'r2', 'r2'],
  ],
  [
    'UNLIKE: elsewhere',
    [{ field: 'rack', operator: 'UNLIKE', value: 'r1' }],
    on('r1', 'r2'),
    ['r2', 'r2', 'r2', 'r2'],
  ],
  ['GROUP_BY: evenly', [{ field: 'rack', operator: 'GROUP_BY' }], on('r1', 'r2'), ['r1', 'r1', 'r2', 'r2']],
  [
    'hostname works without an attribute',
    [{ field: 'hostname', operator: 'UNIQUE' }],
    on('r1', 'r1'),
    ['r1', 'r1'],
  ],
] satisfies [string, Constraint[], ReturnType<typeof anOffer>[], string[]][])(
  '%s',
  (_, constraints, offers, expected) => {
    expect(placed(constraints, 4, offers)).toEqual(expected);
  },
);

const groupBy = (value?: string): Constraint[] => [
  { field: 'rack', operator: 'GROUP_BY', ...(value === undefined ? {} : { value }) },
];

test('GROUP_BY does not fill one group up while another is known to offer something', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 4, constraints: groupBy() }));
  const [r1, r2] = on('r1', 'r2');
  // Of a failed app: where offers come from is known without an instance.
  bench.put(anApp('/web', { instances: 0, constraints: groupBy() }), true);
  bench.offer(r1!, r2!);
  bench.put(anApp('/web', { instances: 4, constraints: groupBy() }), true);
  expect(bench.offer(r1!)).toHaveLength(1);
  expect(bench.offer(r1!)).toEqual([]);
  expect(bench.offer(r2!)).toHaveLength(2);
  expect(bench.offer(r1!)).toHaveLength(1);
});

test('GROUP_BY with a number waits for as many groups', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 4, constraints: groupBy('2') }));
  const [r1, r2] = on('r1', 'r2');
  expect(bench.offer(r1!)).toHaveLength(1);
  expect(bench.offer(r1!)).toEqual([]);
  expect(bench.offer(r2!)).toHaveLength(2);
});

test('a group whose agents have nothing to offer any more does not hold the others up', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 0 }));
  const [r1, r2] = on('r1', 'r2');
  bench.offer(r1!, r2!);
  bench.put(anApp('/web', { instances: 3, constraints: groupBy() }));
  expect(bench.offer(r1!)).toHaveLength(1);
  expect(bench.offer(r1!)).toEqual([]);
  bench.wait(61);
  bench.offer(r1!);
  bench.wait(31);
  expect(bench.offer(r1!)).toHaveLength(2);
});

test('an agent that Mesos lost is no group to wait for', () => {
  const bench = new CoreBench();
  const [r1, r2] = on('r1', 'r2');
  bench.offer(r1!, r2!);
  bench.put(anApp('/web', { instances: 2, constraints: groupBy() }));
  bench.step({ kind: 'agent-lost', agentId: r2!.agentId });
  expect(bench.offer(r1!)).toHaveLength(2);
});

test('CLUSTER without a value puts all where the first is', () => {
  expect(new Set(placed([{ field: 'rack', operator: 'CLUSTER' }], 3, on('r1', 'r2', 'r3'))).size).toBe(1);
});

test('an agent without the attribute is only good for UNLIKE', () => {
  expect(placed([{ field: 'rack', operator: 'LIKE', value: '.*' }], 1, [anOffer('a1')])).toEqual([]);
  expect(placed([{ field: 'rack', operator: 'UNLIKE', value: '.*' }], 1, [anOffer('a1')])).toHaveLength(1);
});

test('constraints count what runs already', () => {
  const bench = new CoreBench();
  const app = anApp('/web', { constraints: [{ field: 'hostname', operator: 'UNIQUE' }] });
  bench.deploy(app, 'a1');
  bench.put({ ...app, instances: 2 });
  expect(bench.offer('a1')).toEqual([]);
  expect(bench.offer('a2')).toHaveLength(1);
});

test('while work is delayed offers are declined for a short time, and used afterwards', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { backoffSeconds: 30 }));
  bench.status(bench.instance('/web'), 'failed');
  expect(bench.offer('a1')).toEqual([]);
  expect(bench.effects('decline')[0]?.refuseSeconds).toBe(5);
  bench.wait(31);
  expect(bench.offer('a1')).toHaveLength(1);
});

test('offers are suppressed once when nothing waits, and revived when something does', () => {
  const bench = new CoreBench();
  expect(bench.effects('suppress', bench.wait(10))).toHaveLength(1);
  bench.put(anApp('/web'));
  expect(bench.effects('revive')).toHaveLength(1);
  expect(bench.world.suppressed).toBe(false);
  bench.offer('a1');
  // Offers of other hosts may still be on their way.
  expect(bench.effects('suppress', bench.wait(4))).toEqual([]);
  expect(bench.effects('suppress', bench.wait(5))).toHaveLength(1);
});

test('offers are not asked for more often than allowed, and again each minute while work is unmet', () => {
  const bench = new CoreBench();
  for (const id of ['/a', '/b', '/c', '/d']) {
    bench.put(anApp(id));
    expect(bench.effects('revive')).toHaveLength(1);
  }
  bench.put(anApp('/e'));
  expect(bench.effects('revive')).toHaveLength(0);
  expect(bench.effects('revive', bench.wait(5))).toHaveLength(1);
  expect(bench.effects('revive', bench.wait(59))).toHaveLength(0);
  expect(bench.effects('revive', bench.wait(61))).toHaveLength(2);
});

test('a delay that ends asks for offers', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { backoffSeconds: 30 }));
  bench.wait(10);
  bench.status(bench.instance('/web'), 'failed');
  expect(bench.effects('revive')).toEqual([]);
  expect(bench.effects('revive', bench.wait(31))).toHaveLength(1);
});

test('a hundred launches on a hundred agents are matched in one frame, each agent with one call', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 100 }));
  const offers = Array.from({ length: 100 }, (_, index) => anOffer(`a${index}`));
  expect(bench.offer(...offers)).toHaveLength(100);
  expect(bench.effects('accept')).toHaveLength(100);
  expect(bench.world.wanting.size).toBe(0);
});

test('binpack fills the host with the least room, by label or by default', () => {
  const offers = () => [
    anOffer('small', { scalars: { cpus: 1_000, mem: 4_000_000, disk: 0, gpus: 0 } }),
    anOffer('large'),
  ];
  const hosts = (bench: CoreBench) => bench.offer(...offers()).map(({ instance }) => instance.agentId);
  const labelled = new CoreBench();
  labelled.put(anApp('/web', { instances: 3, labels: { 'patchpanel.placement': 'binpack' } }));
  expect(hosts(labelled)).toEqual(['small', 'small', 'small']);
  const byDefault = new CoreBench({ placement: 'binpack' });
  byDefault.put(anApp('/web', { instances: 3 }));
  byDefault.put(anApp('/even', { instances: 2, labels: { 'patchpanel.placement': 'spread' } }));
  expect(hosts(byDefault).toSorted()).toEqual(['large', 'small', 'small', 'small', 'small']);
});

const reservedCpus = (cpus: number) => ({
  scalars: { cpus, mem: 4_000_000, disk: 0, gpus: 0 },
  ports: [{ begin: 40_000, end: 40_001 }],
});

test.each([
  [[], 6],
  [['*', 'patchpanel'], 6],
  [['*'], 4],
  [['patchpanel'], 2],
])('of an offer an app that accepts %j uses %i tasks’ worth', (acceptedResourceRoles, launches) => {
  const bench = new CoreBench({ executorResources: { cpus: 0, mem: 0 } });
  bench.put(anApp('/web', { instances: 9, acceptedResourceRoles }));
  const offer = anOffer('a1', {
    scalars: { cpus: 400, mem: 4_000_000, disk: 0, gpus: 0 },
    reserved: reservedCpus(200),
  });
  expect(bench.offer(offer)).toHaveLength(launches);
});

test('host ports come from what the app accepts', () => {
  const bench = new CoreBench();
  const portDefinitions = [{ port: 0, protocol: 'tcp' as const, labels: {} }];
  const app = { network: { mode: 'host' as const }, portDefinitions, acceptedResourceRoles: ['patchpanel'] };
  bench.put(anApp('/web', { ...app, instances: 3 }));
  const launches = bench.offer(anOffer('a1', { reserved: reservedCpus(2_000) }));
  expect(launches.flatMap(({ instance }) => instance.hostPorts).sort((a, b) => a - b)).toEqual([
    40_000, 40_001,
  ]);
});

test('an executor that took reserved resources before takes them again', () => {
  const bench = new CoreBench({ reservedOfExecutor: () => ({ cpus: 100, mem: 64_000 }) });
  bench.deploy(anApp('/web'), 'a1');
  bench.put(anApp('/more', { instances: 9, acceptedResourceRoles: ['patchpanel'] }));
  expect(bench.offer(anOffer('a1', { reserved: reservedCpus(200) }))).toHaveLength(1);
});

test('no more is launched in an interval than its tokens allow; a task that runs gives its token back', () => {
  const bench = new CoreBench({ launchTokens: 2 });
  bench.put(anApp('/web', { instances: 9 }));
  const first = bench.offer('a1');
  expect(first).toHaveLength(2);
  expect(bench.offer('a1')).toEqual([]);
  expect(bench.effects('decline')[0]?.refuseSeconds).toBe(5);
  bench.run(first.slice(0, 1));
  expect(bench.offer('a1')).toHaveLength(1);
  expect(bench.effects('revive', bench.wait(31))).not.toEqual([]);
  expect(bench.offer('a1')).toHaveLength(2);
});

test('not more than so many are launched on one offer', () => {
  const bench = new CoreBench({ maxInstancesPerOffer: 3 });
  bench.put(anApp('/web', { instances: 9 }));
  expect(bench.offer('a1')).toHaveLength(3);
});

test('maintenance that is over is no obstacle', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const window = { unavailableFrom: bench.now - 2_000, unavailableUntil: bench.now - 1_000 };
  expect(bench.offer(anOffer('a1', window))).toHaveLength(1);
});

test('maintenance of an agent is agreed to once nothing of ours runs there', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const inverseOffers = [
    { id: offerId('inverse-1'), agentId: agentId('a1') },
    { id: offerId('inverse-2'), agentId: agentId('a2') },
  ];
  expect(bench.step({ kind: 'inverse-offers', inverseOffers }).effects).toEqual([
    { kind: 'accept-inverse', offerIds: ['inverse-2'] },
    { kind: 'decline-inverse', offerIds: ['inverse-1'], refuseSeconds: 60 },
  ]);
});

test('the last task that a draining agent ends takes the executor along, and the next gets a new one', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }), 'a1');
  const [one, two] = bench.instances('/web');
  const draining = { reason: 'REASON_AGENT_DRAINING', source: 'executor' } as const;
  bench.status(one!, 'killed', draining);
  expect(bench.effects('shutdown-executor')).toEqual([]);
  bench.status(two!, 'killed', draining);
  expect(bench.effects('shutdown-executor')).toEqual([
    { kind: 'shutdown-executor', executorId: two!.executorId, agentId: 'a1' },
  ]);
  const [next] = bench.offer('a1');
  expect(next!.executorId).not.toBe(two!.executorId);
});

test('a host that failed its self-test gets nothing that needs the switch, and the queue says so; it is tried again', () => {
  const bench = new CoreBench();
  const selfTested = (passed: boolean) =>
    bench.step({
      kind: 'host-facts',
      facts: {
        agentId: agentId('a1'),
        executorId: executorIdOf('e'),
        hostname: 'a1',
        underlayIp: '192.0.2.1',
        underlayMtu: 1500,
        datapath: 'netdev',
        ovsVersion: '3',
        dockerVersion: '20',
        selfTest: passed ? { passed } : { passed, problem: 'small packets only' },
      },
    });
  bench.put(anApp('/web', { instances: 2 }));
  bench.offer('a1');
  selfTested(false);
  bench.put(anApp('/more'));
  expect(bench.offer('a1')).toEqual([]);
  expect(bench.world.unplaced.get(appId('/more'))?.reasons).toEqual({ NetworkSelfTestFailed: 1 });
  // What uses the host's network alone goes there all the same.
  bench.put(anApp('/plain', { network: { mode: 'host' } }));
  expect(bench.offer('a1').map(({ app }) => app.id)).toEqual(['/plain']);
  selfTested(true);
  expect(bench.effects('revive')).toHaveLength(1);
  expect(bench.offer('a1').map(({ app }) => app.id)).toEqual(['/more']);
});
