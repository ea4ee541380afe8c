// `serve <port>`: echoes what it gets, prints "listening". `fetch <ip> <port> <bytes> <timeoutMs>`: sends that many
// bytes, wants them back and exits 0 only then.
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';

const [mode, ...rest] = process.argv.slice(2);

if (mode === 'serve') {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(Number(rest[0]), '0.0.0.0', () => process.stdout.write('listening\n'));
} else {
  const [ip, port, bytes, timeoutMs] = rest;
  const sent = Buffer.alloc(Number(bytes), 'patchpanel ');
  const socket = connect({ host: ip, port: Number(port) });
  const fail = (why) => {
    process.stderr.write(`${why}\n`);
    process.exit(1);
  };
  setTimeout(() => fail('timeout'), Number(timeoutMs));
  const got = createHash('sha256');
  let received = 0;
  socket.on('error', (error) => fail(error.code ?? error.message));
  socket.on('data', (chunk) => {
    got.update(chunk);
    received += chunk.length;
    if (received < sent.length) return;
    process.exit(got.digest('hex') === createHash('sha256').update(sent).digest('hex') ? 0 : 1);
  });
  socket.on('connect', () => socket.write(sent));
}
