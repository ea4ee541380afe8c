// Traffic between two namespaces, as the benchmarks make and measure it; started inside a namespace by `nsenter`.
// `serve`: answers on the port and prints "listening". `measure <ip>`: prints a WireFigures as JSON. `knock <ip>`: asks a
// web server over new connections, one after the other begun, until standard input ends, and prints a KnockFigures.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { knocksPerSecond, wirePort, type KnockFigures, type WireFigures } from './bench/wire-figures.ts';

const transferMs = 2_000;
const roundTrips = 2_000;
const patienceMs = 20_000;
const knockPatienceMs = 10_000;
const chunk = Buffer.alloc(64 * 1024, 'patchpanel ');

/** The first byte of a connection says what it is for. */
const swallow = 's';
const echo = 'e';

function serve(): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (first) => {
      if (first.toString('latin1', 0, 1) === echo) {
        socket.write(first);
        socket.pipe(socket);
        return;
      }
      // The client learns when the last byte has arrived, not when its own kernel has taken it.
      socket.on('end', () => socket.end('done'));
      socket.resume();
    });
  });
  server.listen(wirePort, '0.0.0.0', () => process.stdout.write('listening\n'));
}

async function open(ip: string, purpose: string): Promise<Socket> {
  const socket = connect({ host: ip, port: wirePort, noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.write(purpose);
  return socket;
}

/** Megabits a second of one connection, from the first byte to the other side's word that it has the last. */
async function throughput(ip: string): Promise<number> {
  const socket = await open(ip, swallow);
  const done = once(socket, 'data');
  const started = performance.now();
  let sent = 0;
  while (performance.now() - started < transferMs) {
    sent += chunk.length;
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
  await done;
  return (sent * 8) / ((performance.now() - started) * 1000);
}

/** Microseconds of each round trip of one byte. */
async function roundTripTimes(ip: string): Promise<number[]> {
  const socket = await open(ip, echo);
  await once(socket, 'data');
  const times: number[] = [];
  for (let i = 0; i < roundTrips; i += 1) {
    const started = performance.now();
    socket.write('x');
    await once(socket, 'data');
    times.push((performance.now() - started) * 1000);
  }
  socket.destroy();
  return times;
}

/** Whether a web server answers one request over a connection of its own. */
function answers(ip: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port: wirePort, noDelay: true, timeout: knockPatienceMs });
    let got = '';
    socket.on('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
    socket.on('data', (data) => (got += data.toString('latin1')));
    socket.on('timeout', () => socket.destroy());
    // What broke it is told by what did not arrive.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => resolve(got.startsWith('HTTP/1.') && got.includes(' 200 ')));
  });
}

async function knock(ip: string): Promise<KnockFigures> {
  const began = performance.now();
  const pending: Promise<boolean>[] = [];
  // As many as are due by now: a timer that is late loses none.
  const opener = setInterval(() => {
    const due = Math.floor(((performance.now() - began) * knocksPerSecond) / 1000);
    while (pending.length < due) pending.push(answers(ip));
  }, 5);
  process.stdin.resume();
  await once(process.stdin, 'end');
  clearInterval(opener);
  const outcomes = await Promise.all(pending);
  return { opened: outcomes.length, failed: outcomes.filter((well) => !well).length };
}

const [mode, ip] = process.argv.slice(2);
if (mode === 'serve') {
  serve();
} else if (mode === 'measure' && ip !== undefined) {
  setTimeout(() => {
    process.stderr.write(`no end within ${patienceMs / 1000} s\n`);
    process.exit(1);
  }, patienceMs).unref();
  const figures: WireFigures = { mbits: await throughput(ip), roundTripUs: await roundTripTimes(ip) };
  process.stdout.write(JSON.stringify(figures));
} else if (mode === 'knock' && ip !== undefined) {
  process.stdout.write(JSON.stringify(await knock(ip)));
} else {
  process.stderr.write('usage: bench-wire serve | bench-wire measure <ip> | bench-wire knock <ip>\n');
  process.exitCode = 2;
}
