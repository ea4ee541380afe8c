import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { messageOf, PatchpanelError } from '../runtime/errors.ts';

/** `127.0.0.1:8080` → host and port. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const [host = '', port] = address.split(':');
  return { host, port: Number(port) };
}

/**
 * Tries the addresses (`ip:port`) before anything is made that would have to be removed again.
 * @throws PatchpanelError `conflict` that names the option whose address cannot be listened on
 */
export async function requireFreeAddresses(byOption: Readonly<Record<string, string>>): Promise<void> {
  for (const [option, address] of Object.entries(byOption)) {
    const server = createServer();
    server.listen(splitAddress(address));
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new PatchpanelError(
        'conflict',
        `cannot listen on ${address} (${messageOf(error)}): choose another with --${option}`,
      );
    }
    server.close();
    await once(server, 'close');
  }
}

/** The address itself, or for port 0 the same with a port from freePort(). */
export async function concreteAddress(address: string): Promise<string> {
  const { host, port } = splitAddress(address);
  return port === 0 ? `${host}:${await freePort(host)}` : address;
}

/**
 * A port of the loopback address, unless told of another, on which nobody listens. It is none of those that the kernel
 * hands out by itself: there a connection of anybody takes a server's port while the server is down, and the server
 * cannot come back.
 * @throws PatchpanelError `external` when none is found
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tried = 0; tried < 1_000; tried += 1) {
    const port = randomInt(12_000, 32_000);
    if (await isFree(host, port)) return port;
  }
  throw new PatchpanelError('external', `no free port on ${host}`);
}

function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}
