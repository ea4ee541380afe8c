/**
 * Asks questions of DNS from the namespace that it runs in: one JSON object a line in, one a line out. An answer that
 * does not come within two seconds is told as such; nothing is asked twice.
 */
import dgram from 'node:dgram';
import net from 'node:net';
import { createInterface } from 'node:readline';
import dnsPacket from 'dns-packet';

const timeoutMs = 2_000;
const socket = dgram.createSocket('udp4');
const waiting = new Map();
let lastId = 0;

socket.on('message', (message) => {
  const packet = dnsPacket.decode(message);
  waiting.get(packet.id)?.(packet);
});

function reply(id, packet) {
  const answers = packet?.answers?.map(({ type, name, data, ttl }) => ({ type, name, data, ttl })) ?? [];
  process.stdout.write(`${JSON.stringify({ id, rcode: packet?.rcode ?? 'TIMEOUT', answers })}\n`);
}

function askByUdp({ id, server, name, type }) {
  const own = (lastId = (lastId + 1) & 0xffff);
  const timer = setTimeout(() => done(undefined), timeoutMs);
  const done = (packet) => {
    clearTimeout(timer);
    waiting.delete(own);
    reply(id, packet);
  };
  waiting.set(own, done);
  const flags = dnsPacket.RECURSION_DESIRED;
  socket.send(dnsPacket.encode({ type: 'query', id: own, flags, questions: [{ type, name }] }), 53, server);
}

function askByTcp({ id, server, name, type }) {
  const connection = net.connect(53, server);
  const chunks = [];
  connection.setTimeout(timeoutMs, () => connection.destroy());
  connection.on('data', (chunk) => {
    chunks.push(chunk);
    const all = Buffer.concat(chunks);
    if (all.length >= 2 && all.length >= all.readUInt16BE(0) + 2) {
      reply(id, dnsPacket.streamDecode(all));
      connection.destroy();
    }
  });
  connection.on('error', () => reply(id, undefined));
  const flags = dnsPacket.RECURSION_DESIRED;
  connection.write(dnsPacket.streamEncode({ type: 'query', id: 1, flags, questions: [{ type, name }] }));
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const question = JSON.parse(line);
    if (question.tcp) askByTcp(question);
    else askByUdp(question);
  })
  .on('close', () => process.exit(0));
