import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EventFeed, type EventSink } from '../../scheduler/api/v2/events/event-feed.ts';
import type { EventWish } from '../../scheduler/api/v2/events/event-types.ts';
import { EventBus } from '../../scheduler/driver/event-bus.ts';
import { agentId, taskId } from '../../src/model/ids.ts';
import { ApiHarness, webApp } from '../support/api.ts';
import { ManualClock } from '../support/manual-clock.ts';

interface StreamEvent {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** The events in a piece of a stream; comments are left out. */
function parse(text: string): StreamEvent[] {
  return text
    .split('\r\n\r\n')
    .filter((block) => block !== '' && !block.startsWith(':'))
    .map((block) => {
      const fields = new Map(
        block.split('\r\n').map((line): [string, string] => {
          const colon = line.indexOf(': ');
          return [line.slice(0, colon), line.slice(colon + 2)];
        }),
      );
      return {
        id: fields.get('id'),
        type: fields.get('event') ?? '',
        data: JSON.parse(fields.get('data') ?? '{}') as Record<string, unknown>,
      };
    });
}

class FakeSink implements EventSink {
  text = '';
  outstandingBytes = 0;
  isCut = false;
  write(chunk: Buffer): void {
    this.text += chunk.toString();
  }
  cut(): void {
    this.isCut = true;
  }
  get events(): StreamEvent[] {
    return parse(this.text);
  }
}

const everything: EventWish = { types: new Set(), lightPlans: false };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the feed', () => {
  let bus: EventBus;
  let clock: ManualClock;
  let feed: EventFeed;
  let cutOffs: number;
  let badEvents: string[];

  const publish = (type: string, fields: Record<string, unknown> = {}) => bus.publish({ type, fields }, 0);

  beforeEach(() => {
    cutOffs = 0;
    badEvents = [];
    clock = new ManualClock();
    bus = new EventBus(10, (error) => {
      throw error;
    });
    feed = new EventFeed({
      source: bus,
      term: 3,
      textOf: ({ event }) => {
        if (event.fields['bad'] === true) throw new Error('it has no words');
        return JSON.stringify({ eventType: event.type, ...event.fields });
      },
      now: () => clock.now(),
      after: (delayMs, action) => clock.after(delayMs, action),
      onCutOff: () => (cutOffs += 1),
      onBadEvent: (type) => badEvents.push(type),
    });
  });

  afterEach(() => feed.close());

  test('begins with a comment and goes on with what happens', async () => {
    const sink = new FakeSink();
    publish('app_terminated_event', { appId: '/before' });
    feed.attach(sink, everything, undefined);
    expect(sink.text).toMatch(/^: .*\r\n\r\n$/);
    publish('app_terminated_event', { appId: '/a' });
    publish('app_terminated_event', { appId: '/b' });
    await turn();
    expect(sink.events).toEqual([
      { id: '3-2', type: 'app_terminated_event', data: { eventType: 'app_terminated_event', appId: '/a' } },
      { id: '3-3', type: 'app_terminated_event', data: { eventType: 'app_terminated_event', appId: '/b' } },
    ]);
  });

  test('a client that comes back gets what it missed, once, and then the rest', async () => {
    for (let i = 1; i <= 4; i += 1) publish('app_terminated_event', { appId: `/${i}` });
    const sink = new FakeSink();
    feed.attach(sink, everything, '3-2');
    publish('app_terminated_event', { appId: '/5' });
    await turn();
    expect(sink.events.map(({ id }) => id)).toEqual(['3-3', '3-4', '3-5']);
  });

  test.each([
    ['too long', '3-2'],
    ['under another leader', '2-29'],
    ['with an id of nobody', 'what?'],
  ])('a client that was away %s is told that events are lost', (_why, lastEventId) => {
    for (let i = 1; i <= 30; i += 1) publish('app_terminated_event', { appId: `/${i}` });
    const sink = new FakeSink();
    feed.attach(sink, { types: new Set(['deployment_info']), lightPlans: false }, lastEventId);
    expect(sink.events).toEqual([
      { id: undefined, type: 'events_missed_event', data: expect.objectContaining({ lastEventId }) },
    ]);
  });

  test('a client gets the types that it asks for, and ours only by name or by *', async () => {
    const wishes = [[], ['deployment_info', 'slot_flipped_event'], ['*']];
    const sinks = wishes.map((types) => {
      const sink = new FakeSink();
      feed.attach(sink, { types: new Set(types), lightPlans: false }, undefined);
      return sink;
    });
    for (const type of ['app_terminated_event', 'deployment_info', 'slot_flipped_event']) publish(type);
    await turn();
    expect(sinks.map(({ events }) => events.map(({ type }) => type))).toEqual([
      ['app_terminated_event', 'deployment_info'],
      ['deployment_info', 'slot_flipped_event'],
      ['app_terminated_event', 'deployment_info', 'slot_flipped_event'],
    ]);
  });

  test('an event that cannot be told is left out for all, now and when it is asked for again', async () => {
    const sinks = [new FakeSink(), new FakeSink()];
    for (const [index, sink] of sinks.entries()) {
      feed.attach(sink, { types: new Set(), lightPlans: index === 0 }, undefined);
    }
    publish('deployment_info', { bad: true });
    publish('app_terminated_event');
    await turn();
    const later = new FakeSink();
    feed.attach(later, everything, '3-0');
    for (const { events } of [...sinks, later]) expect(events.map(({ id }) => id)).toEqual(['3-2']);
    expect(new Set(badEvents)).toEqual(new Set(['deployment_info']));
  });

  test('a client that does not read is cut off, and the others go on', async () => {
    const [slow, quick] = [new FakeSink(), new FakeSink()];
    feed.attach(slow, everything, undefined);
    feed.attach(quick, everything, undefined);
    slow.outstandingBytes = 5 * 1024 * 1024;
    publish('app_terminated_event');
    await turn();
    publish('app_terminated_event');
    await turn();
    expect([slow.isCut, slow.events.length, cutOffs]).toEqual([true, 0, 1]);
    expect(quick.events).toHaveLength(2);
  });

  test('a client is not cut off for a piece of any size that it has not read yet, but for 4 MiB besides', async () => {
    const sink = new FakeSink();
    feed.attach(sink, everything, undefined);
    publish('deployment_info', { plan: 'x'.repeat(6 * 1024 * 1024) });
    await turn();
    sink.outstandingBytes = 6 * 1024 * 1024;
    publish('app_terminated_event');
    await turn();
    expect([sink.isCut, sink.events.length]).toEqual([false, 2]);
    sink.outstandingBytes = 11 * 1024 * 1024;
    publish('app_terminated_event');
    await turn();
    expect([sink.isCut, sink.events.length]).toEqual([true, 2]);
  });

  test('a client that has read a large piece gets no more room for it', async () => {
    const sink = new FakeSink();
    feed.attach(sink, everything, undefined);
    publish('deployment_info', { plan: 'x'.repeat(6 * 1024 * 1024) });
    await turn();
    publish('app_terminated_event');
    await turn();
    sink.outstandingBytes = 5 * 1024 * 1024;
    publish('app_terminated_event');
    await turn();
    expect(sink.isCut).toBe(true);
  });

  test('a silent stream gets a comment now and then, for proxies; nobody waits for a client that left', () => {
    const sink = new FakeSink();
    const detach = feed.attach(sink, everything, undefined);
    const before = sink.text.length;
    clock.advance(15_000);
    clock.advance(15_000);
    expect(sink.text.slice(before)).toBe(':\r\n\r\n:\r\n\r\n');
    detach();
    clock.advance(60_000);
    expect(sink.text.slice(before)).toBe(':\r\n\r\n:\r\n\r\n');
  });
});

describe('events in Marathon’s words', () => {
  let api: ApiHarness;
  let url: string;

  beforeEach(async () => {
    api = new ApiHarness();
    await api.server.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(api.server.server.address() as AddressInfo).port}/v2/events`;
  });

  afterEach(() => api.server.close());

  /** Everything that the stream has told when `act` is done, up to the event that `act` is followed by. */
  async function during(query: string, act: () => Promise<void>): Promise<StreamEvent[]> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}${query}`, { headers: { accept: 'text/event-stream' } }, resolve).on('error', reject);
    });
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    await act();
    api.bus.publish({ type: 'app_terminated_event', fields: { appId: '/the-end' } }, api.now);
    let text = '';
    for await (const chunk of response) {
      text += String(chunk);
      if (text.includes('/the-end') && text.endsWith('\r\n\r\n')) break;
    }
    return parse(text);
  }

  const only = (events: readonly StreamEvent[], type: string) =>
    events.filter((event) => event.type === type).map(({ data }) => data);

  test('tell a whole deployment with its definitions, tasks with reason and source', async () => {
    const checked = { ...webApp, healthChecks: [{ protocol: 'HTTP', path: '/' }] };
    const events = await during('', async () => {
      await api.call('POST', '/v2/apps', checked);
      for (const task of api.offer()) {
        api.status(task, 'running', { source: 'executor', healthy: true, message: 'up' });
      }
    });
    for (const { data, type } of events) {
      expect(data).toMatchObject({ eventType: type, timestamp: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) });
    }
    expect(only(events, 'event_stream_attached')).toMatchObject([{ remoteAddress: '127.0.0.1' }]);
    expect(only(events, 'api_post_event')).toMatchObject([
      { clientIp: '127.0.0.1', uri: '/v2/apps', appDefinition: { id: '/shop/web', instances: 2 } },
    ]);
    expect(only(events, 'add_health_check_event')).toMatchObject([
      { appId: '/shop/web', healthCheck: { protocol: 'HTTP', path: '/' } },
    ]);
    const [info] = only(events, 'deployment_info');
    expect(info).toMatchObject({
      currentStep: { actions: [{ action: 'StartApplication', app: '/shop/web' }] },
      plan: {
        original: { id: '/', apps: [] },
        target: { id: '/', apps: [{ id: '/shop/web' }] },
      },
    });
    expect(only(events, 'deployment_step_success').length).toBeGreaterThan(0);
    expect(only(events, 'deployment_success')).toMatchObject([{ id: expect.any(String) }]);
    expect(only(events, 'status_update_event')).toContainEqual(
      expect.objectContaining({
        taskStatus: 'TASK_RUNNING',
        appId: '/shop/web',
        source: 'SOURCE_EXECUTOR',
        message: 'up',
        ipAddresses: [{ ipAddress: expect.stringMatching(/^10\.32\./), protocol: 'IPv4' }],
      }),
    );
    expect(only(events, 'instance_changed_event')).toContainEqual(
      expect.objectContaining({ condition: 'Running', runSpecId: '/shop/web' }),
    );
    expect(only(events, 'instance_health_changed_event')).toHaveLength(2);
  });

  test('leave definitions out of plans for who asks for light ones', async () => {
    const events = await during(
      '?plan-format=light&event_type=deployment_info&event_type=app_terminated_event',
      async () => {
        await api.call('POST', '/v2/apps', webApp);
      },
    );
    const plan = only(events, 'deployment_info')[0]?.['plan'];
    expect(Object.keys(plan as object)).toEqual(['id', 'steps', 'version']);
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(['deployment_info', 'app_terminated_event']),
    );
  });

  test('tell which check failed by the definition that the task has, if that is kept', async () => {
    const checkedBy = (...paths: string[]) => ({
      ...webApp,
      instances: 1,
      healthChecks: paths.map((path) => ({ protocol: 'HTTP', path })),
    });
    const well = { alive: true, consecutiveFailures: 0, exhausted: false };
    const ill = (failures: number) => ({ ...well, alive: false, consecutiveFailures: failures });
    const events = await during('', async () => {
      await api.call('POST', '/v2/apps', checkedBy('/old', '/older'));
      const [task] = api.offer();
      const report = (failures: number) =>
        api.status(task!, 'running', { healthy: false, checkResults: [well, ill(failures)] });
      api.status(task!, 'running', { healthy: true, checkResults: [well, well] });
      await api.call('PUT', '/v2/apps/shop/web', checkedBy('/new', '/newer'));
      report(1);
      await api.call('PUT', '/v2/apps/shop/web', checkedBy());
      report(2);
      for (const path of ['/1', '/2', '/3', '/4', '/5']) {
        await api.call('PUT', '/v2/apps/shop/web?force=true', checkedBy(path));
      }
      report(3);
    });
    expect(only(events, 'failed_health_check_event').map(({ healthCheck }) => healthCheck)).toEqual([
      expect.objectContaining({ path: '/older' }),
      expect.objectContaining({ path: '/older' }),
      undefined,
    ]);
  });

  test('tell the end of a deployment that was dropped, and of health checks that are gone', async () => {
    const events = await during('', async () => {
      await api.call('POST', '/v2/apps', { ...webApp, healthChecks: [{ protocol: 'TCP' }] });
      const { body } = await api.call<{ id: string }[]>('GET', '/v2/deployments');
      await api.call('DELETE', `/v2/deployments/${body[0]?.id}?force=true`);
      await api.call('PUT', '/v2/apps/shop/web?force=true', { healthChecks: [] });
    });
    expect(only(events, 'deployment_step_failure')).toHaveLength(1);
    expect(only(events, 'deployment_failed')).toMatchObject([{ id: expect.any(String) }]);
    expect(only(events, 'remove_health_check_event')).toMatchObject([{ appId: '/shop/web' }]);
  });

  test('name the app of a task that nobody knows', async () => {
    const events = await during('', () => {
      api.step({
        kind: 'status',
        status: {
          taskId: taskId('shop_old.instance-1._app.3'),
          agentId: agentId('agent-0'),
          condition: 'running',
          uuid: new Uint8Array(16),
        },
      });
      return Promise.resolve();
    });
    expect(only(events, 'unknown_instance_terminated_event')).toMatchObject([
      { instanceId: 'shop_old.instance-1', runSpecId: '/shop/old', condition: 'Running' },
    ]);
  });

  test('are for who asks for a stream', async () => {
    const { status, body } = await api.call('GET', '/v2/events');
    expect(status).toBe(405);
    expect(body).toEqual({ message: 'Method Not Allowed' });
    const subscriptions = await api.call('GET', '/v2/eventSubscriptions');
    expect(subscriptions.body).toEqual({ callbackUrls: [] });
    const refused = await api.call('POST', '/v2/eventSubscriptions?callbackUrl=http://x');
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringContaining('/v2/events') } });
  });
});
