import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isCliError } from '../support/cli-errors.ts';
import { addressOf, ClusterBench, demoApp, ipOf, shellApp } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { busyboxImage } from '../../src/devcluster/images.ts';

const cluster = useCluster({ hosts: 3 });
let bench: ClusterBench;

beforeEach(() => {
  bench = new ClusterBench(cluster());
});

afterEach(() => bench.removeAll());

test('instances spread over the hosts and reach each other by address; scaling leaves the others alone', async () => {
  const three = await bench.add(demoApp('/web', { instances: 3 }));
  expect(new Set(three.map(({ host }) => host)).size).toBe(3);
  for (const from of three) {
    for (const to of three) expect(await bench.ask(from, ipOf(to))).toMatchObject({ task: to.id });
  }
  await bench.deploy('PATCH', '/v2/apps/web', { instances: 5 });
  const five = await bench.running('/web', 5);
  expect(five.slice(0, 3).map(({ id }) => id)).toEqual(three.map(({ id }) => id));
  await bench.deploy('PATCH', '/v2/apps/web', { instances: 3 });
  expect((await bench.running('/web', 3)).map(({ id }) => id)).toEqual(three.map(({ id }) => id));
  await bench.deploy('PATCH', '/v2/apps/web', { instances: 5 });
  expect((await bench.running('/web', 5)).map(addressOf)).toEqual(five.map(addressOf));
});

test('a restart and a changed definition keep MAC and address of every slot', async () => {
  const first = await bench.add(demoApp('/web', { instances: 2, env: { GREETING: 'hello' } }));
  await bench.deploy('POST', '/v2/apps/web/restart');
  const second = await bench.running('/web', 2);
  await bench.deploy('PATCH', '/v2/apps/web', { env: { GREETING: 'good evening' } });
  const third = await bench.running('/web', 2);
  for (const later of [second, third]) expect(later.map(addressOf)).toEqual(first.map(addressOf));
  expect(new Set([...first, ...second, ...third].map(({ id }) => id)).size).toBe(6);
  const epochs = [first, second, third].map((tasks) => tasks[0]?.patchpanel.epoch ?? 0);
  expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
  const [task] = third;
  expect((await bench.containers.exec(task!.id, ['sh', '-c', 'echo $GREETING'])).output.trim()).toBe(
    'good evening',
  );
  expect(await bench.ask(third[1]!, ipOf(task))).toMatchObject({ task: task!.id });
});

test('without room for a second incarnation the old one goes first, and the address stays', async () => {
  const strategy = { maximumOverCapacity: 0, minimumHealthCapacity: 0 };
  const [before] = await bench.add(demoApp('/web', { upgradeStrategy: strategy }));
  await bench.deploy('POST', '/v2/apps/web/restart');
  const [after] = await bench.running('/web', 1);
  expect(addressOf(after!)).toBe(addressOf(before!));
  expect(after!.id).not.toBe(before!.id);
});

test('pinned addresses are used in slot order and refused when they are taken', async () => {
  const networks = [{ mode: 'container', labels: { 'patchpanel.ip': '10.32.0.100,10.32.0.99' } }];
  const tasks = await bench.add(demoApp('/pinned', { instances: 2, networks }));
  expect(tasks.map(ipOf)).toEqual(['10.32.0.100', '10.32.0.99']);
  const taken = bench.api.send('POST', '/v2/apps', demoApp('/other', { networks }));
  expect(await isCliError(taken, 1)).toMatch(/10\.32\.0\.100.*\/pinned#0/);
});

test('networks are apart: the same host, other addresses, no traffic', async () => {
  await bench.api.send('PUT', '/v1/networks/blue', { vni: 8, cidr: '10.40.0.0/24' });
  const blue = { networks: [{ mode: 'container', name: 'blue' }], constraints: [['hostname', 'UNIQUE']] };
  const inBlue = await bench.add(demoApp('/blue', { ...blue, instances: 3 }));
  const inDefault = await bench.add(demoApp('/web', { instances: 3, constraints: [['hostname', 'UNIQUE']] }));
  expect(await bench.ask(inBlue[0]!, ipOf(inBlue[1]))).toMatchObject({ task: inBlue[1]!.id });
  for (const to of inDefault) expect(await bench.ask(inBlue[0]!, ipOf(to))).toBeUndefined();
  const refused = bench.api.send('DELETE', '/v1/networks/blue');
  expect(await isCliError(refused, 5)).toMatch(/blue/);
  await bench.removeAll();
});

test('an instance is told who it is', async () => {
  const [task] = await bench.add(
    demoApp('/shop/db', { env: { OWN: 'yes', HOST: 'overridden' }, labels: { tier: 'back' } }),
  );
  const { output } = await bench.containers.exec(task!.id, [
    'sh',
    '-c',
    'env; hostname; cat /etc/resolv.conf',
  ]);
  const lines = output.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      `MESOS_TASK_ID=${task!.id}`,
      'MARATHON_APP_ID=/shop/db',
      `MARATHON_APP_VERSION=${task!.version}`,
      'MARATHON_APP_LABEL_TIER=back',
      'MARATHON_APP_RESOURCE_MEM=32.0',
      'PATCHPANEL_SLOT=0',
      `PATCHPANEL_IP=${ipOf(task)}`,
      'PATCHPANEL_HOSTNAME=0.db.shop.patchpanel.internal',
      'PORT0=80',
      'PORT_HTTP=80',
      'OWN=yes',
      'HOST=overridden',
      '0-db-shop',
      'search patchpanel.internal',
    ]),
  );
});

test('host volumes, arguments and limits reach the container', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'pp-volume-'));
  try {
    const [task] = await bench.add(
      shellApp('/writer', 'echo "$$ wrote" > /data/out; exec sleep 1000', {
        container: {
          docker: { image: busyboxImage, parameters: [{ key: 'ulimit', value: 'nofile=77:77' }] },
          volumes: [
            { containerPath: '/data', hostPath: directory, mode: 'RW' },
            { containerPath: '/fixed', hostPath: directory, mode: 'RO' },
          ],
        },
      }),
    );
    const written = () => readFile(path.join(directory, 'out'), 'utf8').catch(() => '');
    await bench.until('the file', async () => (await written()).includes('wrote'));
    const { output } = await bench.containers.exec(task!.id, ['sh', '-c', 'ulimit -n; touch /fixed/x 2>&1']);
    expect(output).toMatch(/77/);
    expect(output).toMatch(/Read-only/);
    const found = await cluster()
      .substrate.engine.client.getContainer(`patchpanel-app-${task!.id}`)
      .inspect();
    expect(found.HostConfig).toMatchObject({ Memory: 32 * 1024 * 1024, CpuShares: 51 });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test("Mesos and Marathon's clients see the slot's address", async () => {
  const [task] = await bench.add(demoApp('/web'));
  const { tasks } = await bench.api.get<{ tasks: { ipAddresses: unknown }[] }>('/v2/tasks');
  expect(tasks[0]?.ipAddresses).toEqual([{ ipAddress: ipOf(task), protocol: 'IPv4' }]);
  const answer = await fetch(`${cluster().mesos.url}/state`);
  expect(JSON.stringify(await answer.json())).toContain(`"ip_address":"${ipOf(task)}"`);
});
