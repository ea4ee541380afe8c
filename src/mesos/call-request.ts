import { request as httpRequest, type Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type Agent as HttpsAgent } from 'node:https';

/** The answer to a call. */
export interface CallAnswer {
  readonly status: number;
  readonly message: string;
}

export interface CallRequest {
  readonly url: string;
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Unix socket to connect to, whatever the URL's host is. */
  readonly socketPath: string | undefined;
  /** Ends the request, which fails then. */
  readonly signal: AbortSignal;
  /** For the whole of it; the request fails after that. */
  readonly timeoutMs: number;
}

const maxTextBytes = 64 * 1024;

/**
 * One POST with a short answer, of whose text 64 KiB are kept. It stands beside axios because there are several for
 * each task: axios costs three times as much processor time as the request itself.
 * @throws Error `late` after the time-out, `aborted` by the signal, or the connection's own
 */
export function postCall(call: CallRequest): Promise<CallAnswer> {
  const { url, agents, headers, body, socketPath, signal, timeoutMs } = call;
  return new Promise((resolve, reject) => {
    const secure = url.startsWith('https:');
    const options = {
      method: 'POST',
      headers: { ...headers, 'Content-Length': body.length },
      ...(socketPath === undefined ? {} : { socketPath }),
    };
    const request = secure
      ? httpsRequest(url, { ...options, agent: agents.https })
      : httpRequest(url, { ...options, agent: agents.http });
    let cause: Error | undefined;
    const end = (why: Error): void => {
      cause ??= why;
      request.destroy(why);
    };
    const timer = setTimeout(() => end(new LateError('late')), timeoutMs);
    const onAbort = (): void => end(new Error('aborted'));
    const settled = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (error: Error): void => {
      settled();
      // A connection that we end ourselves breaks in its own words.
      reject(cause ?? error);
    };
    request.once('error', fail);
    request.once('response', (response) => {
      readText(response, fail, (message) => {
        settled();
        resolve({ status: response.statusCode ?? 0, message });
      });
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    request.end(body);
  });
}

/** A call was not answered in time. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

function readText(
  response: IncomingMessage,
  onError: (error: Error) => void,
  onEnd: (text: string) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxTextBytes) chunks.push(chunk);
  });
  response.once('error', onError);
  response.once('end', () => onEnd(Buffer.concat(chunks).toString('utf8').trim()));
}
