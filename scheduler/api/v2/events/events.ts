import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BusEvent } from '../../../driver/event-bus.ts';
import type { ApiDeps } from '../../deps.ts';
import { methodNotAllowed } from '../../http/methods.ts';
import { badRequest, HttpProblem } from '../../problems.ts';
import { queryValues } from '../../request.ts';
import { EventFeed, type EventSink } from './event-feed.ts';
import type { EventWish } from './event-types.ts';
import { presentEvent } from './present-event.ts';

/** How often the system asks a silent client whether it is still there. */
const keepAliveMs = 30_000;

/** `/v2/events` (Marathon v2, server-sent events) and what is left of its forerunner, the callbacks. */
export function eventRoutes(server: FastifyInstance, deps: ApiDeps): void {
  const feed = new EventFeed({
    source: deps.events,
    term: deps.term,
    textOf: eventTexts(deps),
    now: deps.now,
    after: deps.after,
    onCutOff: deps.onSlowClient,
    onBadEvent: (eventType, error) => deps.log.error('an event could not be told', { eventType, error }),
  });
  server.addHook('preClose', (done) => {
    feed.close();
    done();
  });

  server.get('/v2/events', { exposeHeadRoute: false }, (request, reply) => {
    if (request.headers.accept?.includes('text/event-stream') !== true) throw methodNotAllowed();
    if (feed.full) throw new HttpProblem(503, 'Too many event streams are open: close some, or try again.');
    const headers = reply.getHeaders() as Record<string, string>;
    reply.hijack();
    reply.raw.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream; charset=utf-8' });
    request.socket.setKeepAlive(true, keepAliveMs);
    const sink = new ResponseSink(reply.raw);
    const detach = feed.attach(sink, wishOf(request), lastEventIdOf(request));
    const remoteAddress = request.clientAddress;
    const tell = (type: string) => deps.events.publish({ type, fields: { remoteAddress } }, deps.now());
    tell('event_stream_attached');
    reply.raw.on('close', () => {
      detach();
      tell('event_stream_detached');
    });
    return reply;
  });

  server.get('/v2/eventSubscriptions', () => ({ callbackUrls: [] }));
  const refuse = (): never => {
    throw badRequest(
      'Callbacks are not supported (Marathon dropped them in 1.5): read the stream /v2/events.',
    );
  };
  server.post('/v2/eventSubscriptions', refuse);
  server.delete('/v2/eventSubscriptions', refuse);
}

function wishOf(request: FastifyRequest): EventWish {
  return {
    types: new Set(queryValues(request, 'event_type').filter((type) => type !== '')),
    lightPlans: queryValues(request, 'plan-format').at(-1) === 'light',
  };
}

/** As browsers send it when they come back, or as a parameter from those that cannot set headers. */
function lastEventIdOf(request: FastifyRequest): string | undefined {
  const header = request.headers['last-event-id'];
  return typeof header === 'string' ? header : queryValues(request, 'lastEventId').at(-1);
}

/** The text of an event, made once however many clients there are. */
function eventTexts(deps: ApiDeps): (event: BusEvent, lightPlans: boolean) => string {
  const made = { full: new WeakMap<BusEvent, string>(), light: new WeakMap<BusEvent, string>() };
  return (event, lightPlans) => {
    const texts = lightPlans ? made.light : made.full;
    const known = texts.get(event);
    if (known !== undefined) return known;
    const context = { world: deps.world(), master: deps.info.master };
    const text = JSON.stringify(presentEvent(event, context, lightPlans));
    texts.set(event, text);
    return text;
  };
}

class ResponseSink implements EventSink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    // A client that goes away breaks its connection; 'close' follows.
    response.on('error', () => undefined);
  }

  get outstandingBytes(): number {
    return this.#response.writableLength;
  }

  write(chunk: Buffer): void {
    this.#response.write(chunk);
  }

  cut(): void {
    this.#response.destroy();
  }
}
