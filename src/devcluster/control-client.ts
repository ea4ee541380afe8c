import axios from 'axios';
import { PatchpanelError } from '../runtime/errors.ts';
import { isOwned, readLedger } from './ledger.ts';
import type { DevClusterStatus } from './options.ts';

/** Long enough for a host that starts, or a master that fails over. */
const requestTimeoutMs = 90_000;

/** Talks to the controls of a running cluster, found by its name. */
export class ControlClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /**
   * The controls of the cluster of that name on this machine.
   * @throws PatchpanelError `not-found` when none runs
   */
  static async of(name: string): Promise<ControlClient> {
    const content = await readLedger(name);
    if (content === undefined || !(await isOwned(content)))
      throw new PatchpanelError('not-found', `no dev cluster ${name} runs: start one with patchpanel dev`);
    if (content.controlUrl === undefined)
      throw new PatchpanelError('unavailable', `the dev cluster ${name} is still starting: try again`);
    return new ControlClient(content.controlUrl);
  }

  async status(): Promise<DevClusterStatus> {
    return (await this.#request('get', '/v1/status')) as DevClusterStatus;
  }

  /** `POST path`; gives the answer's JSON. */
  post(path: string, body: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.#request('post', path, body);
  }

  async #request(method: 'get' | 'post', path: string, data?: unknown): Promise<unknown> {
    const answer = await axios.request<unknown>({
      method,
      url: `${this.#url}${path}`,
      ...(data === undefined ? {} : { data }),
      timeout: requestTimeoutMs,
      proxy: false,
      validateStatus: () => true,
    });
    if (answer.status < 300) return answer.data;
    throw new PatchpanelError(
      answer.status === 404 ? 'not-found' : 'external',
      messageIn(answer.data, answer.status),
    );
  }
}

function messageIn(data: unknown, status: number): string {
  if (data !== null && typeof data === 'object' && 'message' in data) return String(data.message);
  return `the dev cluster answered ${status}`;
}
