import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { table } from '../../src/fabric/tables.ts';
import { busyboxImage } from '../../src/devcluster/images.ts';
import { ClusterBench, demoApp, ipOf, shellApp } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';

/** Everything here is said to Mesos in JSON, which has pitfalls of its own; the other tests speak protobuf. */
const cluster = useCluster({
  hosts: 2,
  schedulerArgs: ['--encoding', 'json'],
  executorEnv: { PATCHPANEL_MESOS_ENCODING: 'json' },
});
let bench: ClusterBench;

beforeEach(() => {
  bench = new ClusterBench(cluster());
});

afterEach(() => bench.removeAll());

const spread = { constraints: [['hostname', 'UNIQUE']] };

/** A privileged container would do, but not every machine lets one be made. */
const mayChangeLinks = [{ key: 'cap-add', value: 'NET_ADMIN' }];

async function shell(task: TaskInfo, script: string): Promise<{ exitCode: number; output: string }> {
  return bench.containers.exec(task.id, ['sh', '-c', script], 30_000);
}

test('several megabytes cross from host to host unchanged, in full-size frames', async () => {
  const [server, client] = await bench.add(
    shellApp(
      '/files',
      'dd if=/dev/urandom of=/tmp/big bs=1M count=8 2>/dev/null; exec httpd -f -p 80 -h /tmp',
      {
        instances: 2,
        ...spread,
      },
    ),
  );
  expect(server!.host).not.toBe(client!.host);
  const there = await bench.until('the file to be there', async () => {
    const { exitCode, output } = await shell(server!, 'pidof httpd >/dev/null && md5sum /tmp/big');
    return exitCode === 0 && output.split(' ')[0];
  });
  const { output } = await shell(client!, `wget -q -O - http://${ipOf(server)}/big | md5sum`);
  expect(output.split(' ')[0]).toBe(there);
  const ping = await shell(client!, `ping -c 1 -W 2 -s 1422 ${ipOf(server)}`);
  expect(ping.output).toMatch(/1430 bytes from/);
});

test('a source address or MAC that is not its own is dropped at the port and counted', async () => {
  const [good] = await bench.add(demoApp('/good'));
  const [bad] = await bench.add(
    shellApp('/bad', 'exec sleep 1000', {
      container: { docker: { image: busyboxImage, parameters: mayChangeLinks } },
    }),
  );
  const reach = `ping -c 2 -W 1 ${ipOf(good)}`;
  expect((await shell(bad!, reach)).exitCode).toBe(0);
  const before = await bench.dropped(bad!.host, 'spoofed');
  await shell(bad!, 'ip addr add 10.32.77.77/16 dev eth0');
  const otherAddress = await shell(bad!, `ping -c 2 -W 1 -I 10.32.77.77 ${ipOf(good)}`);
  expect(otherAddress.exitCode).not.toBe(0);
  const afterAddress = await bench.dropped(bad!.host, 'spoofed');
  expect(afterAddress).toBeGreaterThan(before);
  await shell(bad!, 'ip link set eth0 address 0a:07:0a:20:09:09');
  expect((await shell(bad!, reach)).exitCode).not.toBe(0);
  expect(await bench.dropped(bad!.host, 'spoofed')).toBeGreaterThan(afterAddress);
});

test('nothing is flooded: frames to an unknown address reach nobody', async () => {
  const [one, two] = await bench.add(
    shellApp('/quiet', 'exec sleep 1000', {
      instances: 2,
      ...spread,
      container: { docker: { image: busyboxImage, parameters: mayChangeLinks } },
    }),
  );
  const received = async (task: TaskInfo) =>
    Number((await shell(task, 'cat /sys/class/net/eth0/statistics/rx_packets')).output.trim());
  const before = await received(two!);
  await shell(
    one!,
    'arping -c 2 -w 2 -I eth0 10.32.99.99; ip neigh add 10.32.99.98 lladdr 0a:07:0a:20:63:62 dev eth0',
  );
  await shell(one!, 'ping -c 2 -W 1 10.32.99.98; ping -c 2 -W 1 -b 10.32.255.255');
  expect(await received(two!)).toBe(before);
});

test('ARP for a peer on another host is answered on the spot, with the MAC of its lease', async () => {
  const [one, two] = await bench.add(demoApp('/web', { instances: 2, ...spread }));
  // Hosts test their tunnels, in a network of its own: only frames of the default network count.
  const tunnelled = async () =>
    (await bench.flows(two!.host))
      .filter((flow) => flow.includes(`table=${table.tunnelGuard},`) && flow.includes('reg0=0x7,'))
      .map((flow) => /n_packets=(\d+)/.exec(flow)?.[1])
      .join();
  const before = await tunnelled();
  const { output } = await shell(one!, `arping -c 1 -w 2 -I eth0 ${ipOf(two)}`);
  expect(output.toLowerCase()).toContain(two!.patchpanel.mac);
  expect(await tunnelled()).toBe(before);
});
