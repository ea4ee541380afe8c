import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { create, type AxiosInstance, type AxiosResponse } from 'axios';
import { PatchpanelError, messageOf } from '../runtime/errors.ts';
import { authorization, type Credentials } from './credentials.ts';
import { contentTypes, type Encoding } from './codec.ts';

/** The answer to a SUBSCRIBE: a stream that goes on, or a short text. */
export type StreamAnswer =
  | { readonly kind: 'open'; readonly body: Readable; readonly streamId: string | undefined }
  | { readonly kind: 'redirected'; readonly location: string | undefined }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string };

/** The answer to any other call. */
export interface CallAnswer {
  readonly status: number;
  readonly message: string;
}

export interface TransportOptions {
  readonly encoding: Encoding;
  readonly credentials?: Credentials;
  /** Unix socket to connect to, whatever the URL's host is. */
  readonly socketPath?: string;
  /** How long a server may take to answer a request with headers (SUBSCRIBE) or as a whole (calls). */
  readonly answerTimeoutMs: number;
}

const maxTextBytes = 64 * 1024;
const keepAliveProbeMs = 30_000;

/**
 * HTTP as Mesos wants it: a connection for the stream, whose answer never ends, and one other for calls, which
 * therefore arrive in order. TCP keep-alive on both; redirects and proxies are never followed.
 */
export class Transport {
  readonly #options: TransportOptions;
  readonly #stream = connections();
  readonly #calls = connections();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /**
   * Sends a SUBSCRIBE. The signal, one of its own, ends the stream as well; `body` must be read or destroyed.
   * @throws PatchpanelError `unavailable` without an answer, `deadline` when it takes too long to begin, `aborted`
   */
  subscribe(url: string, body: Buffer, signal: AbortSignal): Promise<StreamAnswer> {
    return this.#request(url, signal, async (combined) => {
      const response = await this.#post(this.#stream.http, url, body, {}, combined);
      if (response.status === 200) {
        signal.addEventListener('abort', () => response.data.destroy(), { once: true });
        return { kind: 'open', body: response.data, streamId: header(response, 'mesos-stream-id') };
      }
      const message = await textOf(response.data);
      if (response.status === 307) return { kind: 'redirected', location: header(response, 'location') };
      return { kind: 'refused', status: response.status, message };
    });
  }

  /**
   * Sends any other call. An error means that it may or may not have arrived.
   * @throws PatchpanelError `unavailable`, `deadline`, `aborted`
   */
  call(url: string, body: Buffer, streamId: string | undefined, signal: AbortSignal): Promise<CallAnswer> {
    const extra: Record<string, string> = streamId === undefined ? {} : { 'Mesos-Stream-Id': streamId };
    return this.#request(url, signal, async (combined) => {
      const response = await this.#post(this.#calls.http, url, body, extra, combined);
      return { status: response.status, message: await textOf(response.data) };
    });
  }

  /** Closes the connections; requests under way fail. */
  close(): void {
    this.#stream.destroy();
    this.#calls.destroy();
  }

  /** Runs `work` with a signal that fires with the given one and when it takes too long. */
  async #request<T>(url: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
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
      return await work(combined.signal);
    } catch (cause) {
      throw requestError(cause, url, signal.aborted, late);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #post(
    http: AxiosInstance,
    url: string,
    body: Buffer,
    extra: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<AxiosResponse<Readable>> {
    const { encoding, credentials, socketPath } = this.#options;
    const type = contentTypes[encoding];
    return http.post<Readable>(url, body, {
      headers: { ...(await authorization(credentials)), 'Content-Type': type, Accept: type, ...extra },
      signal,
      ...(socketPath === undefined ? {} : { socketPath }),
    });
  }
}

function connections(): { readonly http: AxiosInstance; readonly destroy: () => void } {
  const options = { keepAlive: true, keepAliveMsecs: keepAliveProbeMs, maxSockets: 1 };
  const httpAgent = new HttpAgent(options);
  const httpsAgent = new HttpsAgent(options);
  const http = create({
    httpAgent,
    httpsAgent,
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
  return {
    http,
    destroy: () => {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
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
