import type { RequestListener } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { ListenAddress, Listeners, TlsIdentity } from './listeners.ts';
import { listen } from './listeners.ts';

/**
 * The addresses that this process listens on, whatever it is at the moment. They open with the first API that is
 * served and stay open while one API takes the place of another.
 */
export class FrontDoor {
  readonly #wanted: readonly ListenAddress[];
  readonly #identity: TlsIdentity | undefined;
  #handler: RequestListener = (_request, response) => response.writeHead(503).end();
  #listeners: Promise<Listeners> | undefined;

  constructor(wanted: readonly ListenAddress[], identity: TlsIdentity | undefined) {
    this.#wanted = wanted;
    this.#identity = identity;
  }

  /**
   * Hands all requests from now on to this API. The result tells where it listens.
   * @throws PatchpanelError as listen()
   */
  async serve(api: FastifyInstance): Promise<readonly ListenAddress[]> {
    await api.ready();
    this.#handler = (request, response) => api.routing(request, response);
    this.#listeners ??= listen(
      (request, response) => this.#handler(request, response),
      this.#wanted,
      this.#identity,
    );
    return (await this.#listeners).addresses;
  }

  /** Stops listening and breaks what is open. */
  async close(): Promise<void> {
    const listeners = await this.#listeners?.catch(() => undefined);
    await listeners?.close();
  }
}
