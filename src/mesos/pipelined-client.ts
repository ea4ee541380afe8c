import { urlToHttpOptions } from 'node:url';
import { Client } from 'undici';
import { codeOf, messageOf, PatchpanelError } from '../runtime/errors.ts';
import type { CallAnswer } from './call-request.ts';
import type { TlsMaterial } from './tls.ts';

export interface PipelinedClientOptions {
  readonly url: string;
  readonly tls: Partial<TlsMaterial>;
  /** How long a server may take to accept a connection, and for each answer, milliseconds. */
  readonly answerTimeoutMs: number;
}

/** Requests on their way at once. More only wait at the other end. */
const maxUnanswered = 256;
const maxTextBytes = 64 * 1024;
const keepAliveProbeMs = 30_000;
/** A connection that nobody needs is closed before servers do, which would take the next request for an answer. */
const idleMs = 2_000;

const late = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/**
 * POSTs to one address that do not wait for the answers to earlier ones (RFC 9112 §9.3.2), on one connection at a time.
 * Requests must mean the same when they arrive twice: when a connection ends, those that were not answered on it may be
 * sent once more on the next.
 */
export class PipelinedClient {
  readonly #host: string;
  readonly #client: Client;
  readonly #path: string;
  readonly #ownHeaders: Readonly<Record<string, string>>;

  /** Connects when there is something to send. */
  constructor({ url, tls, answerTimeoutMs }: PipelinedClientOptions) {
    const { origin, host, pathname, search } = new URL(url);
    this.#host = host;
    this.#path = `${pathname}${search}`;
    this.#ownHeaders = credentialsIn(url);
    this.#client = new Client(origin, {
      pipelining: maxUnanswered,
      connect: { ...tls, timeout: answerTimeoutMs, keepAliveInitialDelay: keepAliveProbeMs },
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      maxResponseSize: maxTextBytes,
    });
  }

  /**
   * Of an answer no more than 64 KiB are taken. An error means that it may or may not have arrived.
   * @throws PatchpanelError `unavailable`, `deadline`, `aborted`
   */
  async post(headers: Readonly<Record<string, string>>, body: Buffer): Promise<CallAnswer> {
    try {
      const answer = await this.#client.request({
        method: 'POST',
        path: this.#path,
        headers: { ...this.#ownHeaders, ...headers },
        body,
        idempotent: true,
        blocking: false,
      });
      return { status: answer.statusCode, message: (await answer.body.text()).trim() };
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  /** Nothing leaves any more; requests under way fail with `aborted`. */
  close(): void {
    void this.#client.destroy();
  }

  #failure(cause: unknown): PatchpanelError {
    if (this.#client.destroyed) {
      return new PatchpanelError('aborted', `the connection to ${this.#host} was closed by us`, { cause });
    }
    if (late.has(codeOf(cause) ?? '')) {
      return new PatchpanelError('deadline', `${this.#host} did not answer in time`, { cause });
    }
    return new PatchpanelError('unavailable', `cannot reach ${this.#host}: ${messageOf(cause)}`, { cause });
  }
}

/** The header for a name and password in the address itself. */
function credentialsIn(url: string): Readonly<Record<string, string>> {
  const { auth } = urlToHttpOptions(new URL(url));
  return auth ? { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
}
