import type { Readable } from 'node:stream';
import { Agent } from 'node:https';
import { create, isAxiosError, type AxiosInstance, type AxiosResponse } from 'axios';
import { countersToWire } from '../../../src/fabric/counters-wire.ts';
import type { HostCounters } from '../../../src/fabric/counters.ts';
import { answerToWire } from '../../../src/fabric/path/question-wire.ts';
import type { HostAnswer } from '../../../src/fabric/path/question.ts';
import { reportToWire, type HostReport } from '../../../src/fabric/view-wire.ts';
import type { ViewVersion } from '../../../src/fabric/view.ts';
import { contentTypes } from '../../../src/mesos/codec.ts';
import type { AgentId } from '../../../src/model/ids.ts';
import type { SchedulerAccess } from '../../../src/model/task-spec.ts';
import { messageOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import { viewCodec } from './view-codec.ts';

const ANSWER_TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** How long a connection is kept for the next report, as Node's own agent for plain HTTP keeps one. */
const IDLE_MS = 5_000;

/** The calls of the scheduler's API that a host makes, for one host at one address. */
export class SchedulerHttp {
  readonly #http: AxiosInstance;
  readonly #base: string;

  constructor(url: string, agent: AgentId, access: SchedulerAccess | undefined) {
    this.#http = create({
      maxRedirects: 0,
      decompress: false,
      proxy: false,
      validateStatus: () => true,
      headers: {
        'Content-Type': contentTypes.protobuf,
        Accept: contentTypes.protobuf,
        ...(access === undefined ? {} : { Authorization: `Bearer ${access.token}` }),
      },
      ...(access?.authority === undefined ? {} : { httpsAgent: agentFor(access.authority) }),
    });
    this.#base = `${url}/v1/hosts/${encodeURIComponent(agent)}`;
  }

  /** @throws PatchpanelError `unavailable`; its context has `location` when another scheduler was named */
  async report(report: HostReport, signal: AbortSignal): Promise<void> {
    await this.#post('report', viewCodec.encode('ViewReport', reportToWire(report), 'protobuf'), signal);
  }

  /** @throws PatchpanelError `unavailable` as report() */
  async answer(answer: HostAnswer, signal: AbortSignal): Promise<void> {
    await this.#post('answer', viewCodec.encode('ViewAnswer', answerToWire(answer), 'protobuf'), signal);
  }

  /** @throws PatchpanelError `unavailable` as report() */
  async tellCounters(counters: HostCounters, signal: AbortSignal): Promise<void> {
    await this.#post(
      'counters',
      viewCodec.encode('ViewCounters', countersToWire(counters), 'protobuf'),
      signal,
    );
  }

  async #post(name: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
    const url = `${this.#base}/${name}`;
    const response = await this.#answer(url, signal, (combined) =>
      this.#http.post(url, body, {
        signal: combined,
        responseType: 'text',
        maxContentLength: MAX_ANSWER_BYTES,
      }),
    );
    check(url, response, String(response.data ?? ''));
  }

  /**
   * The stream of views, which never ends by itself; the signal ends it.
   * @throws PatchpanelError `unavailable` as report()
   */
  async openView(have: ViewVersion | undefined, signal: AbortSignal): Promise<Readable> {
    const url = `${this.#base}/view`;
    const response = await this.#answer(url, signal, (combined) =>
      this.#http.get<Readable>(url, {
        signal: combined,
        responseType: 'stream',
        ...(have === undefined ? {} : { params: { term: have.term, n: have.n } }),
      }),
    );
    if (response.status !== 200) response.data.destroy();
    check(url, response, '');
    return response.data;
  }

  /** The answer's head within the time limit; after that only `signal` can end it. */
  async #answer<T>(
    url: string,
    signal: AbortSignal,
    send: (combined: AbortSignal) => Promise<AxiosResponse<T>>,
  ): Promise<AxiosResponse<T>> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_TIMEOUT_MS);
    try {
      return await send(AbortSignal.any([signal, late.signal]));
    } catch (error) {
      const why = late.signal.aborted ? `no answer within ${ANSWER_TIMEOUT_MS} ms` : wordsOf(error);
      throw new PatchpanelError('unavailable', `${url}: ${why}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Without `keepAlive` each acknowledgement would cost leader and host a TLS handshake. */
const agentFor = (authority: string): Agent =>
  new Agent({ ca: authority, keepAlive: true, timeout: IDLE_MS, scheduling: 'lifo' });

function check(url: string, response: AxiosResponse, words: string): void {
  if (response.status >= 200 && response.status < 300) return;
  const location: unknown = response.headers['location'];
  throw new PatchpanelError(
    'unavailable',
    `${url} answered ${response.status} ${words.slice(0, 200)}`.trim(),
    {
      context: typeof location === 'string' ? { location: new URL(location, url).origin } : {},
    },
  );
}

const wordsOf = (error: unknown) =>
  (isAxiosError(error) && error.code ? `${error.code} ` : '') + messageOf(error);
