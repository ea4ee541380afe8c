import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ViewRecord } from '../../../src/fabric/view-wire.ts';
import { contentTypes, type Encoding } from '../../../src/mesos/codec.ts';
import { agentId } from '../../../src/model/ids.ts';
import type { ViewSink } from '../../driver/views/host-feed.ts';
import type { HostRouteDeps } from './routes.ts';
import { ViewRecordEncoder } from './wire.ts';

const count = z.coerce.number().int().nonnegative();
/** The version that the host has in force: both or neither. */
const haveSchema = z.union([
  z.object({ term: count, n: count }),
  z.object({ term: z.undefined().optional(), n: z.undefined().optional() }),
]);

/** GET /v1/hosts/:agentId/view?term=T&n=N: the endless stream of the host's view from its version on. */
export function viewRoute(server: FastifyInstance, deps: HostRouteDeps): void {
  const encoder = new ViewRecordEncoder();
  server.get<{ Params: { agentId: string } }>(
    '/v1/hosts/:agentId/view',
    { exposeHeadRoute: false, config: { access: 'host' } },
    async (request, reply) => {
      const host = agentId(request.params.agentId);
      const have = haveSchema.safeParse(request.query);
      if (!have.success) {
        return reply.code(400).send({ message: 'term and n must be numbers, both or neither' });
      }
      if (!deps.expectsHost(host)) {
        return reply.code(404).send({ message: `no task of ours was placed on the agent ${host}` });
      }
      const encoding: Encoding = request.headers.accept === contentTypes.json ? 'json' : 'protobuf';
      reply.hijack();
      reply.raw.writeHead(200, { 'Content-Type': contentTypes[encoding], 'Cache-Control': 'no-store' });
      reply.raw.flushHeaders();
      const { term, n } = have.data;
      const version = term === undefined ? undefined : { term, n };
      const sink = new ResponseSink(reply.raw, (record) => encoder.encode(record, encoding));
      reply.raw.on('close', deps.connectView(host, version, sink));
      return reply;
    },
  );
}

class ResponseSink implements ViewSink {
  readonly #response: ServerResponse;
  readonly #encode: (record: ViewRecord) => Buffer;

  constructor(response: ServerResponse, encode: (record: ViewRecord) => Buffer) {
    this.#response = response;
    this.#encode = encode;
    // A host that goes away breaks its connection; 'close' follows and tells the hub.
    response.on('error', () => undefined);
  }

  get outstandingBytes(): number {
    return this.#response.writableLength;
  }

  write(record: ViewRecord): void {
    this.#response.write(this.#encode(record));
  }

  /** Breaks the connection: what the host has not read is of no use to it. */
  end(): void {
    this.#response.destroy();
  }
}
