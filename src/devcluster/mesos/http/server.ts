import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { messageOf } from '../../../runtime/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { send } from './exchange.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse, path: URL) => Promise<void> | void;

/** A server that keeps idle connections as Mesos does and answers 500 to what its handler throws. */
export function httpServer(log: Logger, handler: Handler): Server {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://here');
    void Promise.resolve()
      .then(() => handler(request, response, url))
      .catch((error: unknown) => {
        log.error('a request failed', { path: url.pathname, error });
        if (response.headersSent) response.destroy();
        else send(response, { status: 500, body: messageOf(error) });
      });
  });
  server.keepAliveTimeout = 0;
  return server;
}

/** Listens on a TCP address; port 0 takes a free one. */
export async function listenOn(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

/** Stops listening and breaks every connection. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  await closed;
}
