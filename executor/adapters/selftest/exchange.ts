import { createSocket } from 'node:dgram';
import { createConnection, createServer } from 'node:net';

/** What a program in a namespace of a self-test is asked to do. */
export type SpaceRequest =
  /** Answers every TCP connection with as many bytes as it gets. */
  | { readonly kind: 'serve'; readonly port: number }
  /** Sends bytes over TCP and expects as many back. */
  | {
      readonly kind: 'exchange';
      readonly ip: string;
      readonly port: number;
      readonly bytes: number;
      readonly timeoutMs: number;
    }
  /** Sends a datagram that comes back, a few times until one does. */
  | {
      readonly kind: 'echo';
      readonly ip: string;
      readonly port: number;
      readonly bytes: number;
      readonly timeoutMs: number;
    };

/** `problem` is absent when all went well. */
export interface SpaceAnswer {
  readonly problem?: string;
}

const datagramEveryMs = 100;

/** Does what is asked; never rejects. */
export async function perform(request: SpaceRequest): Promise<SpaceAnswer> {
  try {
    switch (request.kind) {
      case 'serve':
        await serve(request.port);
        break;
      case 'exchange':
        await exchange(request);
        break;
      case 'echo':
        await echo(request);
        break;
    }
    return {};
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function serve(port: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => (bytes += chunk.length));
    socket.on('end', () => socket.end(Buffer.alloc(bytes)));
  });
  // The program ends with its input, not with its server.
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });
}

function exchange({
  ip,
  port,
  bytes,
  timeoutMs,
}: Extract<SpaceRequest, { kind: 'exchange' }>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: ip, port, allowHalfOpen: true });
    const timer = setTimeout(
      () => socket.destroy(new Error(`${got} of ${bytes} bytes came back within ${timeoutMs} ms`)),
      timeoutMs,
    );
    let got = 0;
    socket.on('connect', () => socket.end(Buffer.alloc(bytes)));
    socket.on('data', (chunk) => (got += chunk.length));
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      if (got === bytes) resolve();
      else reject(new Error(`${got} of ${bytes} bytes came back`));
    });
  });
}

function echo({ ip, port, bytes, timeoutMs }: Extract<SpaceRequest, { kind: 'echo' }>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const end = (problem?: Error): void => {
      clearInterval(repeat);
      clearTimeout(timer);
      socket.close();
      if (problem === undefined) resolve();
      else reject(problem);
    };
    const send = (): void => socket.send(Buffer.alloc(bytes), port, ip, (error) => error && end(error));
    const timer = setTimeout(() => end(new Error(`nothing came back within ${timeoutMs} ms`)), timeoutMs);
    const repeat = setInterval(send, datagramEveryMs);
    socket.on('error', end);
    socket.on('message', (message) => message.length === bytes && end());
    // The switch swaps addresses and leaves ports: it answers to the port that it was asked at.
    socket.bind(port, send);
  });
}
