import { createServer } from 'node:net';

/**
 * Below those that the kernel hands out by itself: there a connection of anybody takes a server's port while the server
 * is down, and the server cannot come back.
 */
const ports = { first: 12_000, count: 20_000 };

/** Each of the workers that run test files side by side looks in a part of its own. */
const workers = 8;

let next: number | undefined;

/** A port of the loopback address on which nobody listens, and which nobody gets by chance. */
export async function freePort(): Promise<number> {
  const share = ports.count / workers;
  next ??= Math.floor(Math.random() * share);
  const worker = Number(process.env['JEST_WORKER_ID'] ?? 0) % workers;
  for (let tried = 0; tried < share; tried += 1) {
    const port = ports.first + worker * share + (next++ % share);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
