import { spawn, type ChildProcess } from 'node:child_process';
import type { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import { withDeadline } from '../runtime/deadline.ts';
import { PatchpanelError } from '../runtime/errors.ts';
import { systemPath } from '../runtime/system-path.ts';
import { insideNetns } from './daemon.ts';

const startTimeoutMs = 20_000;

/**
 * The program of the child. It is text because it has to run as it is from the sources, where the tests are, and from
 * the bundle: it listens, hands the socket to its parent and ends.
 */
const childProgram = `
const server = require('node:net').createServer();
server.once('error', (error) => process.send({ error: error.message }, () => process.disconnect()));
server.listen({ host: process.argv[1], port: Number(process.argv[2]) }, () => {
  process.send({ listening: server.address().port }, server, () => { server.close(); process.disconnect(); });
});`;

/**
 * A listening server whose socket lives in a network namespace, although this process does not: whoever connects must
 * come from inside. Port 0 takes a free one. The namespace's name may be deleted while it listens; close it first.
 * @throws PatchpanelError `external` when the address cannot be taken, `deadline` when the child gives no answer
 */
async function listenInNetns(netns: string, port: number, host = '0.0.0.0'): Promise<Server> {
  const program = [process.execPath, '--eval', childProgram, '--', host, String(port)];
  const [file = '', ...args] = insideNetns(netns, program);
  const child = spawn(file, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { PATH: systemPath },
  });
  try {
    return await withDeadline(serverFrom(child, netns, port), startTimeoutMs, `listening in ${netns}`);
  } finally {
    child.kill('SIGKILL');
  }
}

function serverFrom(child: ChildProcess, netns: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-2_000);
    });
    const fail = (reason: string) =>
      reject(new PatchpanelError('external', `cannot listen on port ${port} in ${netns}: ${reason}`));
    child.once('error', (error) => fail(error.message));
    child.once('close', () => fail(said.trim() || 'the helper process ended'));
    child.once('message', (message: { error?: string }, handle) => {
      if (handle === undefined) fail(message.error ?? 'no socket came');
      else resolve(handle as Server);
    });
  });
}

/** Makes an HTTP server take its connections from a port inside the namespace; closing the server frees the port. */
export async function listenHttpInNetns(server: HttpServer, netns: string, port: number): Promise<void> {
  const listener = await listenInNetns(netns, port);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listener, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
