import { beforeEach, describe, expect, test } from '@jest/globals';
import { SchedulerMetrics } from '../../scheduler/driver/metrics.ts';
import { ApiHarness, webApp } from '../support/api.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

const ask = (url: string, accept?: string) =>
  api.server.inject({ method: 'GET', url, headers: accept === undefined ? {} : { accept } });

test('the ping is answered in the form that is asked for', async () => {
  const answers = await Promise.all(
    [undefined, '*/*', 'text/html', 'application/json', 'image/png'].map((accept) => ask('/ping', accept)),
  );
  expect(answers.map(({ statusCode, headers, body }) => [statusCode, headers['content-type'], body])).toEqual(
    [
      [200, 'text/plain; charset=utf-8', 'pong'],
      [200, 'text/plain; charset=utf-8', 'pong'],
      [200, 'text/html; charset=utf-8', 'pong'],
      [200, 'application/json', '"pong"'],
      [204, undefined, ''],
    ],
  );
});

test('the info has Marathon’s settings under Marathon’s names', async () => {
  const { body } = await api.call('GET', '/v2/info');
  expect(body).toMatchObject({
    name: 'marathon',
    elected: true,
    leader: '127.0.0.1:8080',
    frameworkId: 'f-1',
    marathon_config: {
      framework_name: 'patchpanel',
      mesos_role: '*',
      local_port_min: 10_000,
      decline_offer_duration: 120_000,
      launch_token_refresh_interval: 30_000,
    },
    zookeeper_config: { zk: null, zk_max_versions: 10 },
    http_config: { http_port: 8080, https_port: null },
  });
});

describe('metrics', () => {
  test.each([
    ['/metrics', 'text/plain'],
    ['/metrics', 'text/plain;version=0.0.4;q=0.5,*/*;q=0.1'],
    // As Prometheus sends it.
    [
      '/metrics',
      'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    ],
    ['/metrics/prometheus', 'application/json'],
  ])('%s is Prometheus’s text for who prefers %s', async (url, accept) => {
    const { headers, body } = await ask(url, accept);
    expect([headers['content-type'], body]).toEqual([
      'text/plain; version=0.0.4; charset=utf-8',
      '# metrics',
    ]);
  });

  test('are JSON for who does not care, as from Marathon', async () => {
    for (const accept of [undefined, '*/*', 'application/json, text/plain, */*'])
      expect((await ask('/metrics', accept)).headers['content-type']).toBe('application/json');
  });

  test('as JSON have Marathon’s form and the gauges that its dashboards draw', async () => {
    await api.call('POST', '/v2/apps', webApp);
    api.runAll();
    const { gauges, counters, histograms } = (await ask('/metrics', 'application/json')).json<
      Record<string, Record<string, unknown>>
    >();
    expect(gauges).toMatchObject({
      'marathon.apps.active.gauge': { value: 1 },
      'marathon.instances.running.gauge': { value: 2 },
      instances: { value: 2 },
    });
    expect(counters).toEqual({ launches_total: { count: 3 } });
    expect(histograms).toEqual({ step_seconds: { count: 4, mean: 0.5 } });
  });

  test('as values are those of the registry, with labels in their names', async () => {
    const metrics = new SchedulerMetrics();
    metrics.launches.inc(5);
    metrics.statusUpdates.inc({ condition: 'running' }, 2);
    metrics.stepSeconds.observe(0.25);
    metrics.stepSeconds.observe(0.75);
    const { counters, histograms } = await metrics.values();
    expect(counters['patchpanel_launches_total']).toBe(5);
    expect(counters['patchpanel_status_updates_total.running']).toBe(2);
    expect(histograms['patchpanel_step_seconds']).toEqual({ count: 2, sum: 1 });
  });
});

describe('the log level', () => {
  test('is shown, and changed for as long as is asked for', async () => {
    expect((await api.call('GET', '/logging')).body).toEqual({ ROOT: 'SILENT' });
    const set = await api.call('POST', '/logging', { level: 'ERROR', logger: 'ROOT', durationSeconds: 10 });
    expect(set.body).toEqual({ ROOT: 'ERROR' });
    api.runTimers();
    expect((await api.call('GET', '/logging')).body).toEqual({ ROOT: 'SILENT' });
  });

  test('that does not exist is refused', async () => {
    const { status, body } = await api.call('POST', '/logging', { level: 'loud' });
    expect(status).toBe(422);
    expect(body).toMatchObject({ details: [{ path: '/level' }] });
  });
});

describe('what Patchpanel does not have', () => {
  test('is an empty list for those who look', async () => {
    expect((await api.call('GET', '/v2/pods')).body).toEqual([]);
    expect((await api.call('GET', '/v2/pods/::status')).body).toEqual([]);
    expect((await api.server.inject({ method: 'HEAD', url: '/v2/pods' })).statusCode).toBe(200);
    expect((await api.call('GET', '/v2/plugins')).body).toEqual({ plugins: [] });
  });

  test('is refused clearly to those who want it', async () => {
    const refused = await api.call('POST', '/v2/pods', { id: '/pod' });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({
      details: [{ path: '/', errors: [expect.stringContaining('pods')] }],
    });
    const missing = await api.call('GET', '/v2/pods/a/b::status');
    expect(missing).toMatchObject({ status: 404, body: { message: "Pod '/a/b' does not exist" } });
    expect((await api.call('DELETE', '/v2/pods/a')).status).toBe(404);
    expect((await api.call('GET', '/v2/plugins/x/y')).status).toBe(404);
  });
});
