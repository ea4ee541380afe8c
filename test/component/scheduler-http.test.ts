import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { SchedulerHttp } from '../../executor/adapters/views/scheduler-http.ts';
import { agentId } from '../../src/model/ids.ts';
import { makeCertificates } from '../support/certificates.ts';

test('reports that follow each other share one TLS connection', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'pp-tls-'));
  const { authority, cert, key } = await makeCertificates(directory);
  const server = createServer(
    { cert: await readFile(cert), key: await readFile(key) },
    (request, response) => {
      request.resume().on('end', () => response.writeHead(202).end());
    },
  );
  let handshakes = 0;
  server.on('secureConnection', () => (handshakes += 1));
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const http = new SchedulerHttp(url, agentId('a1'), { token: 'secret', authority });
    for (const n of [1, 2, 3]) await http.report({ applied: { term: 1, n } }, new AbortController().signal);
    expect(handshakes).toBe(1);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  }
});
