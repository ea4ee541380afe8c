import { get, type IncomingMessage } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { create } from 'axios';
import type { OpenApiDocument } from '../../scheduler/api/openapi/document.ts';
import { SimulatedCluster } from '../../src/devcluster/bench/simulated-cluster.ts';
import { projectRoot } from '../../src/devcluster/project.ts';
import { run } from '../../src/runtime/process.ts';
import { uniqueClusterName } from '../support/machine.ts';
import { DescribedApi } from '../support/openapi.ts';

// The real scheduler in a process of its own, on real HTTP before an emulated Mesos whose tasks are only states: what is
// held to its contract here is the API.
let cluster: SimulatedCluster;
let described: DescribedApi;

const http = create({ validateStatus: () => true, proxy: false });

interface Seen {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Asks the API and holds the answer against the API's own description. */
async function ask(
  method: string,
  url: string,
  data?: unknown,
  headers: Record<string, string> = {},
): Promise<Seen> {
  const answer = await http.request<Record<string, unknown>>({
    method,
    url: `${cluster.apiUrl}${url}`,
    headers,
    ...(data === undefined ? {} : { data }),
  });
  const contentType = String(answer.headers['content-type']);
  const seen = { method, url, status: answer.status, contentType, body: answer.data };
  expect(described.problems(seen)).toEqual([]);
  return { status: answer.status, body: answer.data, headers: answer.headers };
}

/** Asks until the answer is as wanted; the test's own time limit ends it. */
async function until(url: string, wanted: (seen: Seen) => boolean): Promise<Seen> {
  for (;;) {
    const seen = await ask('GET', url);
    if (wanted(seen)) return seen;
  }
}

const settled = () => until('/v2/deployments', ({ body }) => (body as unknown as unknown[]).length === 0);

beforeAll(async () => {
  cluster = await SimulatedCluster.start(undefined, {
    name: uniqueClusterName(),
    agents: 3,
    // What was refused comes back soon, so that nothing is waited for.
    extraArgs: ['--min-revive-interval', '0.2', '--decline-seconds', '1'],
  });
  const { data } = await http.get<OpenApiDocument>(`${cluster.apiUrl}/v2/openapi.json`);
  described = new DescribedApi(data);
});

afterAll(() => cluster.stop());

test('Debian’s python3-marathon, which knows nothing of Patchpanel, can do everything that it does with Marathon', async () => {
  const script = path.join(projectRoot(), 'test/contract/marathon_client.py');
  const told = await run('/usr/bin/python3', [script, cluster.apiUrl], { timeoutMs: 50_000 });
  expect(told.trim().split('\n').at(-1)).toBe('done');
});

describe('by hand', () => {
  const web = {
    id: '/hand/web',
    instances: 2,
    cpus: 0.01,
    mem: 8,
    cmd: 'sleep 1000',
    container: { docker: { image: 'busybox' }, portMappings: [{ containerPort: 80 }] },
    networks: [{ mode: 'container' }],
    labels: { 'a.b/c': 'x,y' },
  };

  test('an app is created, found, changed, locked, brought back and removed', async () => {
    const created = await ask('POST', '/v2/apps', web);
    expect(created.status).toBe(201);
    expect(created.headers).toMatchObject({
      location: '/v2/apps/hand/web',
      etag: `"${String(created.body['version'])}"`,
    });
    expect((await ask('POST', '/v2/apps', web)).body).toEqual({
      message: 'An app with id [/hand/web] already exists.',
    });
    await settled();
    const found = await ask('GET', `/v2/apps?label=${encodeURIComponent('a.b\\/c==x\\,y')}&embed=apps.tasks`);
    expect(found.body['apps']).toMatchObject([{ id: '/hand/web', tasksRunning: 2, tasks: [{}, {}] }]);
    expect((await ask('GET', '/v2/apps/hand/*')).body['*']).toHaveLength(1);
    const stuck = await ask('PUT', '/v2/apps/hand/web', { cpus: 1_000_000 });
    expect(stuck.headers['marathon-deployment-id']).toBe(stuck.body['deploymentId']);
    const locked = await ask('PUT', '/v2/apps/hand/web', { instances: 3 });
    expect(locked).toMatchObject({
      status: 409,
      body: { deployments: [{ id: stuck.body['deploymentId'] }] },
    });
    const queue = await until('/v2/queue', ({ body }) => JSON.stringify(body).includes('InsufficientCpus'));
    expect(queue.body['queue']).toMatchObject([{ app: { id: '/hand/web' }, delay: { overdue: true } }]);
    const { body: versions } = await ask('GET', '/v2/apps/hand/web/versions');
    expect(versions['versions']).toEqual([stuck.body['version'], created.body['version']]);
    const back = await ask('PUT', '/v2/apps/hand/web?force=true', { version: created.body['version'] });
    expect(back.status).toBe(200);
    await settled();
    expect((await ask('GET', '/v2/apps/hand/web')).body['app']).toMatchObject({
      cpus: 0.01,
      tasksRunning: 2,
    });
    expect((await ask('DELETE', '/v2/apps/hand/web/tasks?scale=true')).body).toHaveProperty('deploymentId');
    await settled();
    expect((await ask('DELETE', '/v2/apps/hand/web')).status).toBe(200);
    await settled();
    expect(await ask('GET', '/v2/apps/hand/web')).toMatchObject({
      status: 404,
      body: { message: "App '/hand/web' does not exist" },
    });
  });

  test('what is about the scheduler is as described', async () => {
    for (const url of [
      '/ping',
      '/v2/info',
      '/v2/leader',
      '/metrics',
      '/metrics/prometheus',
      '/logging',
      '/v2/pods',
      '/v2/plugins',
      '/v2/groups',
      '/v2/groups/versions',
      '/v1/networks',
      '/v1/hosts',
      '/help',
    ]) {
      expect({ url, status: (await ask('GET', url)).status }).toEqual({ url, status: 200 });
    }
  });

  test('a stream goes on where it broke off', async () => {
    const first = await streamed({}, 'app_terminated_event', async () => {
      await ask('POST', '/v2/apps', { ...web, id: '/hand/gone', instances: 0 });
      await ask('DELETE', '/v2/apps/hand/gone');
    });
    const ids = first.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => Number(a.split('-')[1]) - Number(b.split('-')[1])));
    const again = await streamed({ 'Last-Event-ID': ids[1] ?? '' }, 'app_terminated_event', () =>
      Promise.resolve(),
    );
    expect(again.map(({ id }) => id).slice(0, ids.length - 2)).toEqual(ids.slice(2));
  });
});

/** The events from the beginning of a stream to the first of this type after `act`. */
async function streamed(
  headers: Record<string, string>,
  last: string,
  act: () => Promise<void>,
): Promise<{ readonly id: string; readonly type: string }[]> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { headers: { ...headers, Accept: 'text/event-stream' } };
    get(`${cluster.apiUrl}/v2/events`, options, resolve).on('error', reject);
  });
  await act();
  let text = '';
  for await (const chunk of response) {
    text += String(chunk);
    if (text.includes(`event: ${last}\r\n`) && text.endsWith('\r\n\r\n')) break;
  }
  return [...text.matchAll(/id: (\S+)\r\nevent: (\S+)\r\n/g)].map(([, id = '', type = '']) => ({ id, type }));
}
