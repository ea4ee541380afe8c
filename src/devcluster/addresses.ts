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

/** The address itself, or for port 0 the same with a port that nobody listened on a moment ago. */
export async function concreteAddress(address: string): Promise<string> {
  const { host, port } = splitAddress(address);
  if (port !== 0) return address;
  const server = createServer();
  server.listen({ host, port });
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (bound === null || typeof bound === 'string')
    throw new PatchpanelError('external', `no free port on ${host}`);
  return `${host}:${bound.port}`;
}
