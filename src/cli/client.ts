import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { create, isAxiosError, type AxiosInstance } from 'axios';
import { messageOf } from '../runtime/errors.ts';
import { conflictText, refusalText, type ErrorBody } from './refusals.ts';

/** Exit codes of the command line; they are part of its interface. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  conflict: 5,
  timeout: 6,
} as const;

/** A failure that ends the command with a message for people and an exit code for programs. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  /** The HTTP status of the scheduler's answer, where there was one. */
  readonly status: number | undefined;

  constructor(exitCode: number, message: string, status?: number) {
    super(message);
    this.exitCode = exitCode;
    this.status = status;
  }
}

/** Where a scheduler's API is and how to be let in. */
export interface ApiTarget {
  readonly url: string;
  /** A bearer token. */
  readonly token?: string;
  /** `name:password` */
  readonly user?: string;
  /** PEM file of the authority to trust, beside those of the system. */
  readonly caFile?: string;
}

/** Options that every command takes. */
export interface GlobalOptions extends ApiTarget {
  readonly json: boolean;
}

export interface Answer<T> {
  readonly data: T;
  /** Header `Marathon-Deployment-Id`, when the call began a deployment. */
  readonly deploymentId: string | undefined;
}

/** The scheduler's API; failures come as CliError with what to do next. */
export class ApiClient {
  readonly #http: AxiosInstance;
  readonly #url: string;

  /** @throws CliError when the authority's file cannot be read */
  constructor(target: ApiTarget) {
    this.#url = target.url.replace(/\/+$/, '');
    this.#http = create({
      baseURL: this.#url,
      timeout: 30_000,
      // The scheduler is a neighbour: what a machine's proxy settings are for lies elsewhere.
      proxy: false,
      // With the slot of each task, which a plain `application/json` does not ask for.
      headers: { Accept: 'application/vnd.patchpanel+json', ...authorization(target) },
      ...(target.caFile === undefined ? {} : { httpsAgent: trusting(target.caFile) }),
    });
  }

  async get<T extends object>(path: string): Promise<T> {
    const { data } = await this.#send<T>('GET', path);
    if (data !== null && typeof data === 'object') return data;
    throw new CliError(
      exitCodes.failed,
      `${this.#url} does not answer like a Patchpanel scheduler: is it another server? Name the right one with --url or PATCHPANEL_URL.`,
    );
  }

  async send<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer<T>> {
    return this.#send<T>(method, path, body, headers);
  }

  async #send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    try {
      const answer = await this.#http.request<T>({
        method,
        url: path,
        ...(body === undefined
          ? { headers }
          : { data: JSON.stringify(body), headers: { ...headers, 'Content-Type': 'application/json' } }),
      });
      const id: unknown = answer.headers['marathon-deployment-id'];
      return { data: answer.data, deploymentId: typeof id === 'string' ? id : undefined };
    } catch (error) {
      throw this.#explain(error, path);
    }
  }

  #explain(error: unknown, path: string): unknown {
    if (!isAxiosError<ErrorBody>(error)) return error;
    if (error.response === undefined) {
      return new CliError(
        exitCodes.unreachable,
        `cannot reach the scheduler at ${this.#url}: ${error.message}\n` +
          'Is it running? Name another with --url or PATCHPANEL_URL; `patchpanel dev` starts one on this machine.',
      );
    }
    const { status, data } = error.response;
    if (status === 401) {
      return new CliError(
        exitCodes.failed,
        `${refusalText(data, status)}\nSet PATCHPANEL_TOKEN to a token, or PATCHPANEL_USER to name:password.`,
        status,
      );
    }
    if (status === 409) return new CliError(exitCodes.conflict, conflictText(data), status);
    if (status === 412) return new CliError(exitCodes.conflict, refusalText(data, status), status);
    if (status === 404)
      return new CliError(exitCodes.notFound, refusalText(data, status) + whatThereIs(path), status);
    return new CliError(exitCodes.failed, refusalText(data, status), status);
  }
}

function authorization({ token, user }: ApiTarget): { readonly Authorization?: string } {
  if (token !== undefined) return { Authorization: `Bearer ${token}` };
  if (user !== undefined) return { Authorization: `Basic ${Buffer.from(user).toString('base64')}` };
  return {};
}

function trusting(caFile: string): Agent {
  try {
    return new Agent({ ca: readFileSync(caFile) });
  } catch (error) {
    throw new CliError(exitCodes.usage, `--ca-file: cannot read ${caFile}: ${messageOf(error)}`);
  }
}

/** What to run after a name was not found. */
function whatThereIs(path: string): string {
  const [, noun] =
    [
      ['/v2/apps/', 'app'],
      ['/v2/groups/', 'group'],
      ['/v2/deployments/', 'deployment'],
      ['/v1/deployments/', 'deployment'],
      ['/v1/networks/', 'network'],
    ].find(([prefix]) => path.startsWith(prefix ?? path)) ?? [];
  return noun === undefined ? '' : `\n\`patchpanel ${noun} list\` shows what there is.`;
}
