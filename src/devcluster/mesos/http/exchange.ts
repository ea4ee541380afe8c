import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { PatchpanelError } from '../../../runtime/errors.ts';

const maxBodyBytes = 64 * 1024 * 1024;
const unzip = promisify(gunzip);

/** What an endpoint answers when it does not open a stream. */
export interface Answer {
  readonly status: number;
  /** Text, or a value that is sent as JSON; empty when absent. */
  readonly body?: string | object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends an answer with the content types of Mesos. */
export function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const isText = typeof body === 'string';
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(isText ? body : JSON.stringify(body));
  const type = isText ? 'text/plain; charset=utf-8' : 'application/json';
  response.writeHead(status, {
    ...headers,
    ...(body === undefined ? {} : { 'Content-Type': type }),
    'Content-Length': bytes.length,
  });
  response.end(bytes);
}

/**
 * The whole body, unzipped when it says so.
 * @throws PatchpanelError `invalid` when it is longer than 64 MiB or not what its encoding says
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new PatchpanelError('invalid', 'The request is longer than 64 MiB');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (request.headers['content-encoding'] !== 'gzip') return body;
  try {
    return await unzip(body, { maxOutputLength: maxBodyBytes });
  } catch (cause) {
    throw new PatchpanelError('invalid', 'Failed to decompress request body', { cause });
  }
}
