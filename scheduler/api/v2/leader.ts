import type { FastifyInstance, FastifyReply } from 'fastify';

/** The forms of the ping, the first for who takes any; who takes none of them gets 204, as from Marathon. */
const pongs = ['text/plain', 'text/html', 'application/json'];

/** A call that everybody may make to learn that this process lives. */
export function pingRoute(server: FastifyInstance): void {
  server.get('/ping', { config: { access: 'open' } }, (request, reply): FastifyReply => {
    const type = request.accepts().type(pongs);
    if (typeof type !== 'string') return reply.code(204).send();
    if (type === 'application/json') return reply.type(type).send('"pong"');
    return reply.type(`${type}; charset=utf-8`).send('pong');
  });
}

/** What the answer about the leader needs to know. */
export interface LeaderSource {
  /** `host:port` of the leader. */
  readonly leader: () => string | undefined;
}

/** GET /v2/leader. Where users are known it takes none: every answer names the leader. */
export function leaderRoute(server: FastifyInstance, { leader }: LeaderSource): void {
  server.get('/v2/leader', { config: { access: 'open' } }, (_request, reply): FastifyReply => {
    const id = leader();
    if (id === undefined) return reply.code(404).send({ message: 'There is no leader' });
    return reply.send({ leader: id });
  });
}

/** DELETE /v2/leader: another scheduler is to lead. Without others there is nobody to hand over to. */
export function abdicateRoute(server: FastifyInstance, abdicate: (() => void) | undefined): void {
  server.delete('/v2/leader', { config: { access: 'admin' } }, (_request, reply): FastifyReply => {
    if (abdicate === undefined) {
      return reply.code(409).send({
        message: 'This scheduler has its state for itself: there is no other one to lead. Several need --zk.',
      });
    }
    // Once the answer is out: afterwards this API is another one.
    reply.raw.once('finish', abdicate);
    return reply.send({ message: 'Leadership abdicated' });
  });
}
