import axios from 'axios';
import { expect, test } from '@jest/globals';
import { ControlClient } from '../../src/devcluster/control-client.ts';
import type { DevHostStatus } from '../../src/devcluster/options.ts';
import { tryRun } from '../../src/runtime/process.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({
  hosts: 2,
  scheduler: false,
  timings: { pingTimeoutMs: 100, maxPings: 3, registrationBackoffMs: 10 },
});

const client = () => ControlClient.of(cluster().config.name);

async function hostStatus(name: string): Promise<DevHostStatus | undefined> {
  const status = await (await client()).status();
  return status.hosts.find((host) => host.name === name);
}

/** Waits until the master thinks so of the agent of a host. */
function registered(host: string, as: 'active' | 'disconnected' | 'unreachable'): Promise<void> {
  const { agentId } = cluster().member(host);
  return cluster().mesos.waitFor(
    `${host} being ${as}`,
    ({ agents }) => agents.some((agent) => agent.agentId === agentId && agent.registration === as),
    20_000,
  );
}

test('every host has an agent that the master knows by its name', async () => {
  const { data } = await axios.get<{ slaves: { hostname: string; attributes: object }[] }>(
    `${cluster().mesos.url}/slaves`,
  );
  const { name } = cluster().config;
  expect(data.slaves.map((slave) => slave.hostname).sort()).toEqual([`${name}-h1`, `${name}-h2`]);
  expect(data.slaves[0]?.attributes).toHaveProperty('rack');
});

test("an agent's server is reached from inside its host, at the host's address", async () => {
  const { plan } = cluster().member('h1').host;
  const fetch = ['wget', '-q', '-O', '-', `http://${plan.managementIp}:5051/health`];
  expect((await tryRun('busybox', fetch, { netns: plan.netns })).exitCode).toBe(0);
});

test('a host that is cut off becomes unreachable and comes back when it is connected', async () => {
  await (await client()).post('/v1/hosts/h1/cut', { what: 'all' });
  expect(await hostStatus('h1')).toMatchObject({ management: 'cut', underlay: 'cut', power: 'on' });
  await registered('h1', 'unreachable');
  await (await client()).post('/v1/hosts/h1/heal');
  await registered('h1', 'active');
  expect(await hostStatus('h1')).toMatchObject({ management: 'up', underlay: 'up' });
});

test('a host loses its power and gets it back', async () => {
  await (await client()).post('/v1/hosts/h2/stop');
  expect(await hostStatus('h2')).toMatchObject({ power: 'off', switch: 'stopped', agent: 'stopped' });
  await registered('h2', 'unreachable');
  await (await client()).post('/v1/hosts/h2/start');
  await registered('h2', 'active');
  expect(await hostStatus('h2')).toMatchObject({ power: 'on', switch: 'running', agent: 'running' });
});

test('an agent and a switch are restarted, a master fails over, and both hosts are there afterwards', async () => {
  await (await client()).post('/v1/hosts/h1/stop-agent');
  expect(await hostStatus('h1')).toMatchObject({ agent: 'stopped', switch: 'running' });
  await (await client()).post('/v1/hosts/h1/start-agent');
  await (await client()).post('/v1/hosts/h1/restart-switch');
  await (await client()).post('/v1/failover');
  await registered('h1', 'active');
  await registered('h2', 'active');
  expect(await hostStatus('h1')).toMatchObject({ agent: 'running', switch: 'running' });
});

test('a host without an executor loses none', async () => {
  expect(await (await client()).post('/v1/hosts/h1/kill-executor')).toEqual({ killed: 0 });
});

test('a host that does not exist and a wrong body are refused with words', async () => {
  await expect((await client()).post('/v1/hosts/h9/cut')).rejects.toMatchObject({
    code: 'not-found',
    message: expect.stringContaining('the hosts are h1, h2'),
  });
  const wrong = (await client()).post('/v1/hosts/h1/cut', { what: 'half' });
  await expect(wrong).rejects.toMatchObject({ message: expect.stringContaining('what') });
});

test('there is no scheduler to kill when the cluster was started without one', async () => {
  await expect((await client()).post('/v1/kill-scheduler')).rejects.toMatchObject({
    message: expect.stringContaining('without a scheduler'),
  });
});
