import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { create, type AxiosInstance, type AxiosResponse } from 'axios';
import { PatchpanelError, messageOf } from '../runtime/errors.ts';
import { withDeadline } from '../runtime/deadline.ts';
import { LateError, postCall, type CallAnswer } from './call-request.ts';
import { authorization, type Credentials } from './credentials.ts';
import { contentTypes, type Encoding } from './codec.ts';
import { loadTls, type MesosTls, type TlsMaterial } from './tls.ts';

/** The answer to a SUBSCRIBE: a stream that goes on, or a short text. */
export type StreamAnswer =
  | { readonly kind: 'open'; readonly body: Readable; readonly streamId: string | undefined }
  | { readonly kind: 'redirected'; readonly location: string | undefined }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string };

export interface TransportOptions {
  readonly encoding: Encoding;
  readonly credentials?: Credentials;
  /** Unix socket to connect to, whatever the URL's host is. */
  readonly socketPath?: string;
  /** Of https addresses; the usual authorities are trusted unless told. */
  readonly tls?: MesosTls;
  /** How long a server may take to answer a request with headers (SUBSCRIBE) or as a whole (calls). */
  readonly answerTimeoutMs: number;
}

const maxTextBytes = 64 * 1024;
const keepAliveProbeMs = 30_000;

/**
 * HTTP as Mesos wants it: a connection for the stream, whose answer never ends, and others for calls. TCP keep-alive
 * on all; redirects and proxies are never followed.
 */
export class Transport {
  readonly #options: TransportOptions;
  /** What its https connections show and trust. */
  readonly tls: Partial<TlsMaterial>;
  readonly #stream: Connections;
  readonly #calls: Connections;
  readonly #axios: AxiosInstance;

  /** @throws PatchpanelError `invalid` when a file for TLS cannot be read */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.tls = options.tls === undefined ? {} : loadTls(options.tls);
    this.#stream = connections(this.tls);
    this.#calls = connections(this.tls);
    this.#axios = streamClient(this.#stream);
  }

  /**
   * Sends a SUBSCRIBE. The signal, one of its own, ends the stream as well; `body` must be read or destroyed.
   * @throws PatchpanelError `unavailable` without an answer, `deadline` when it takes too long to begin, `aborted`
   */
  async subscribe(url: string, body: Buffer, signal: AbortSignal): Promise<StreamAnswer> {
    const combined = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      combined.abort();
    }, this.#options.answerTimeoutMs);
    const onAbort = (): void => combined.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      return await this.#open(url, body, signal, combined.signal);
    } catch (cause) {
      throw requestError(cause, url, signal.aborted, late);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Sends any other call. An error means that it may or may not have arrived.
   * @throws PatchpanelError `unavailable`, `deadline`, `aborted`
   */
  async call(
    url: string,
    body: Buffer,
    streamId: string | undefined,
    signal: AbortSignal,
  ): Promise<CallAnswer> {
    const { answerTimeoutMs: timeoutMs, socketPath } = this.#options;
    const headers = await this.callHeaders(streamId);
    try {
      return await postCall({ url, agents: this.#calls, headers, body, socketPath, signal, timeoutMs });
    } catch (cause) {
      throw requestError(cause, url, signal.aborted, cause instanceof LateError);
    }
  }

  /** What a call says of itself beside its body. @throws PatchpanelError `deadline`, and what a token's source throws */
  async callHeaders(streamId: string | undefined): Promise<Readonly<Record<string, string>>> {
    const headers = await this.#headers();
    return streamId === undefined ? headers : { ...headers, 'Mesos-Stream-Id': streamId };
  }

  /** Closes the connections; requests under way fail. */
  close(): void {
    for (const { http, https } of [this.#stream, this.#calls]) {
      http.destroy();
      https.destroy();
    }
  }

  async #open(url: string, body: Buffer, signal: AbortSignal, headersBy: AbortSignal): Promise<StreamAnswer> {
    const { socketPath } = this.#options;
    const response = await this.#axios.post<Readable>(url, body, {
      headers: await this.#headers(),
      signal: headersBy,
      ...(socketPath === undefined ? {} : { socketPath }),
    });
    if (response.status === 200) {
      signal.addEventListener('abort', () => response.data.destroy(), { once: true });
      return { kind: 'open', body: response.data, streamId: header(response, 'mesos-stream-id') };
    }
    const message = await textOf(response.data);
    if (response.status === 307) return { kind: 'redirected', location: header(response, 'location') };
    return { kind: 'refused', status: response.status, message };
  }

  async #headers(): Promise<Record<string, string>> {
    const { encoding, credentials, answerTimeoutMs } = this.#options;
    const type = contentTypes[encoding];
    // Nothing is unpacked here, so nobody between may pack it.
    const headers = { 'Content-Type': type, Accept: type, 'Accept-Encoding': 'identity' };
    if (credentials === undefined) return headers;
    return { ...headers, ...(await withDeadline(authorization(credentials), answerTimeoutMs, 'a token')) };
  }
}

interface Connections {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

function connections(tls: Partial<TlsMaterial>): Connections {
  const options = { keepAlive: true, keepAliveMsecs: keepAliveProbeMs, maxSockets: 1 };
  return { http: new HttpAgent(options), https: new HttpsAgent({ ...options, ...tls }) };
}

function streamClient({ http, https }: Connections): AxiosInstance {
  return create({
    httpAgent: http,
    httpsAgent: https,
    responseType: 'stream',
    decompress: false,
    maxRedirects: 0,
    // A time-out of axios would end streams that are only quiet.
    timeout: 0,
    proxy: false,
    // No maxContentLength: axios would read the stream through a generator that cannot be destroyed while it waits.
    maxBodyLength: Infinity,
    validateStatus: () => true,
  });
}

function requestError(cause: unknown, url: string, aborted: boolean, late: boolean): PatchpanelError {
  if (aborted) return new PatchpanelError('aborted', `the request to ${url} was cancelled`, { cause });
  if (late) return new PatchpanelError('deadline', `${url} did not answer in time`, { cause });
  return new PatchpanelError('unavailable', `cannot reach ${url}: ${messageOf(cause)}`, { cause });
}

function header(response: AxiosResponse, name: string): string | undefined {
  const value: unknown = response.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** The text of a short answer; what is beyond the bound is thrown away. */
async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxTextBytes) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8').trim();
}
