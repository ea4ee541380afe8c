import { validateHeaderValue } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { messageOf, PatchpanelError } from '../runtime/errors.ts';
import { AnswerReader } from './answer-reader.ts';
import type { CallAnswer } from './call-request.ts';
import type { TlsMaterial } from './tls.ts';

export interface PipelinedConnectionOptions {
  readonly url: string;
  readonly tls: Partial<TlsMaterial>;
  /** How long a server may take for one answer, milliseconds. */
  readonly answerTimeoutMs: number;
  /** Called once when it is over, after those whose requests were not answered. */
  readonly onEnd: () => void;
}

/** A request on its way. One of the two is called, once. */
export interface PipelinedPost {
  readonly body: Buffer;
  readonly answered: (answer: CallAnswer) => void;
  /** It may or may not have arrived. */
  readonly failed: (error: PatchpanelError) => void;
}

/** A connection that nobody needs is closed before servers do, which would take the next request for an answer. */
const idleMs = 2_000;
const lookEveryMs = 500;
const keepAliveProbeMs = 30_000;

/**
 * One connection on which requests do not wait for the answers to earlier ones (RFC 9112 §9.3.2), as Mesos's own
 * library sends calls. A batch leaves in one write: several calls belong to each task, and what costs is the system call.
 * INVARIANT: each request ends exactly once, answers in the order of the requests.
 */
export class PipelinedConnection {
  readonly #options: PipelinedConnectionOptions;
  readonly #url: URL;
  readonly #socket: Socket;
  readonly #answers = new AnswerReader();
  readonly #timer: NodeJS.Timeout;
  #unanswered: { readonly post: PipelinedPost; readonly sentAtMs: number }[] = [];
  #usedAtMs = performance.now();
  #ended = false;

  /** Begins to connect. */
  constructor(options: PipelinedConnectionOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    this.#socket = socketTo(this.#url, options.tls);
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, keepAliveProbeMs);
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#end(this.#lost(messageOf(error), error)));
    this.#socket.on('close', () => this.#onClose());
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  /** Requests on their way. */
  get unanswered(): number {
    return this.#unanswered.length;
  }

  /** False when no further request may be sent here. */
  get usable(): boolean {
    return !this.#ended && !this.#answers.closing;
  }

  /** Sends them in this order. @throws Error for a header that HTTP does not allow; then nothing was sent */
  post(headers: Readonly<Record<string, string>>, posts: readonly PipelinedPost[]): void {
    const head = requestHead(this.#url, headers);
    const now = performance.now();
    this.#usedAtMs = now;
    this.#unanswered.push(...posts.map((post) => ({ post, sentAtMs: now })));
    const pieces = posts.flatMap(({ body }) => [
      Buffer.from(`${head}${body.length}\r\n\r\n`, 'latin1'),
      body,
    ]);
    this.#socket.write(Buffer.concat(pieces));
  }

  /** Requests under way fail. */
  close(): void {
    this.#end(new PatchpanelError('aborted', `the connection to ${this.#url.host} was closed by us`));
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    try {
      for (const answer of this.#answers.push(chunk)) this.#settleOldest(answer);
    } catch (error) {
      this.#end(this.#lost(messageOf(error), error));
    }
  }

  #settleOldest(answer: CallAnswer): void {
    if (this.#ended) return;
    this.#usedAtMs = performance.now();
    const oldest = this.#unanswered.shift();
    if (oldest === undefined) throw new PatchpanelError('protocol', 'it answered more than it was asked');
    oldest.post.answered(answer);
  }

  #onClose(): void {
    const last = this.#ended ? undefined : this.#answers.end();
    if (last !== undefined && this.#unanswered.length > 0) this.#settleOldest(last);
    this.#end(this.#lost('the server closed the connection'));
  }

  #look(): void {
    const now = performance.now();
    const [oldest] = this.#unanswered;
    if (oldest === undefined) {
      if (now - this.#usedAtMs >= idleMs) this.close();
    } else if (now - oldest.sentAtMs >= this.#options.answerTimeoutMs) {
      this.#end(new PatchpanelError('deadline', `${this.#options.url} did not answer in time`));
    }
  }

  #lost(why: string, cause?: unknown): PatchpanelError {
    return new PatchpanelError('unavailable', `cannot reach ${this.#options.url}: ${why}`, { cause });
  }

  #end(error: PatchpanelError): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#timer);
    this.#socket.destroy();
    for (const { post } of this.#unanswered.splice(0)) post.failed(error);
    this.#options.onEnd();
  }
}

function socketTo(url: URL, tls: Partial<TlsMaterial>): Socket {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  if (!secure) return connect({ host, port });
  return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...tls });
}

/** Up to the number of bytes of the body. */
function requestHead(url: URL, headers: Readonly<Record<string, string>>): string {
  const all = { Host: url.host, ...ownCredentials(url), ...headers };
  for (const [name, value] of Object.entries(all)) validateHeaderValue(name, value);
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}Content-Length: `;
}

/** Those in the address itself. */
function ownCredentials({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
