import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { messageOf, PatchpanelError } from '../src/runtime/errors.ts';

/** An address to listen on; port 0 takes a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Whether connections are encrypted. */
  readonly tls: boolean;
}

/** Certificate (with its chain) and key, PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/** Open sockets of the API. */
export interface Listeners {
  /** Where each of them listens, in the order asked for. */
  readonly addresses: readonly ListenAddress[];
  /** Stops listening and breaks the connections: streams never end by themselves. */
  close(): Promise<void>;
}

/**
 * Hands the requests at several addresses to one handler.
 * @throws PatchpanelError `unavailable` when an address cannot be had, `invalid` for one with TLS when there is no
 * usable identity; then none is open
 */
export async function listen(
  handler: RequestListener,
  wanted: readonly ListenAddress[],
  identity: TlsIdentity | undefined,
): Promise<Listeners> {
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(closeServer));
  };
  try {
    const addresses: ListenAddress[] = [];
    for (const address of wanted) {
      const server = newServer(handler, address, identity);
      servers.push(server);
      addresses.push({ ...address, port: await open(server, address) });
    }
    return { addresses, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function newServer(
  handler: RequestListener,
  { tls }: ListenAddress,
  identity: TlsIdentity | undefined,
): Server {
  if (!tls) return createServer(handler);
  if (identity === undefined) {
    throw new PatchpanelError('invalid', 'an https:// address needs --tls-cert and --tls-key');
  }
  try {
    return createTlsServer({ ...identity, minVersion: 'TLSv1.2' }, handler);
  } catch (cause) {
    throw new PatchpanelError('invalid', `--tls-cert and --tls-key cannot be used: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function open(server: Server, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new PatchpanelError('unavailable', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
          cause,
        }),
      ),
    );
    server.listen({ host, port }, () => {
      const bound = server.address();
      resolve(bound !== null && typeof bound === 'object' ? bound.port : port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Also for one that never listened: then it answers with an error that says so.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
