import type { FastifyInstance } from 'fastify';

/**
 * JSON goes out as `application/json` and nothing more, as from Marathon: it is UTF-8 in any case (RFC 8259,
 * section 8.1), and some clients compare the whole header.
 */
export function sendPlainJsonType(server: FastifyInstance): void {
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8')
      reply.header('content-type', 'application/json');
    done(null, payload);
  });
}
