import { createHmac, timingSafeEqual } from 'node:crypto';
import type { AgentId } from '../../../src/model/ids.ts';

/**
 * The tokens by which executors show whose they are. A host's token is a keyed hash of the agent's id (RFC 2104), so
 * none has to be stored and every scheduler that has the key knows all of them. Mesos takes a token to its executor,
 * inside the data of a task.
 */
export class HostTokens {
  readonly #key: string;

  /** @param key the cluster's secret, from the store */
  constructor(key: string) {
    this.#key = key;
  }

  /** The token of the executor on this agent. */
  tokenOf(host: AgentId): string {
    return createHmac('sha256', this.#key).update(`host ${host}`).digest('base64url');
  }

  /** Whether `token` is this host's, in constant time. */
  accepts(host: AgentId, token: string): boolean {
    const wanted = Buffer.from(this.tokenOf(host));
    const given = Buffer.from(token);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}
