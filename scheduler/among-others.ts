import { collectDefaultMetrics, Registry } from 'prom-client';
import type { FastifyInstance } from 'fastify';
import { backoffMs } from '../src/runtime/backoff.ts';
import { sleep } from '../src/runtime/deadline.ts';
import { codeOf, messageOf } from '../src/runtime/errors.ts';
import type { ZooKeeperAddress } from '../src/zookeeper/address.ts';
import { reasonOf } from '../src/zookeeper/errors.ts';
import { creatorAcl, openAcl } from '../src/zookeeper/messages.ts';
import { newToken } from '../src/security/secrets.ts';
import { ZooKeeperSession } from '../src/zookeeper/session.ts';
import { HostTokens } from './api/security/host-tokens.ts';
import { createStandbyServer } from './api/standby/standby-server.ts';
import { advertiseUrl } from './config.ts';
import type { Mandate } from './driver/mandate.ts';
import { sameCandidate, type Candidate } from './election/candidates.ts';
import { Membership } from './election/membership.ts';
import { lead, type LeadOutcome, type Surroundings } from './lead.ts';
import { Layout } from './store/zookeeper/layout.ts';
import { explainDenied } from '../src/zookeeper/tree.ts';
import { openZooKeeperStore } from './store/zookeeper/zookeeper-store.ts';

/** Between two turns that came to nothing. */
const turnBackoff = { baseMs: 100, maxMs: 5_000, factor: 2 };

/**
 * Waits for its turn to lead, leads, and queues up again when the turn is over, until the signal fires or something is
 * wrong that waiting does not mend.
 * @throws what keeps it from being one of the schedulers at all
 */
export async function leadInTurn(
  alone: Surroundings,
  address: ZooKeeperAddress,
  signal: AbortSignal,
): Promise<LeadOutcome> {
  const { log, door, security } = alone;
  const forwardKey = newToken();
  const around: Surroundings = { ...alone, security: { ...security, forwardKey } };
  const standby = new Standby(around, forwardKey);
  try {
    log.info('the API listens', { addresses: await door.serve(standby.api), standby: true });
    for (let failures = 0; !signal.aborted; failures += 1) {
      const turn = new Turn(around, address, standby);
      const outcome = await turn.take(signal);
      if (outcome !== undefined) return outcome;
      if (turn.led) failures = 0;
      await sleep(backoffMs(turnBackoff, failures, Math.random), signal).catch(() => undefined);
    }
    return { kind: 'stopped' };
  } finally {
    await standby.api.close();
  }
}

/** What this process is while it does not lead. */
class Standby {
  readonly self: Candidate;
  readonly api: FastifyInstance;
  leader: Candidate | undefined;

  constructor({ config, bundle, security, authority, log }: Surroundings, forwardKey: string) {
    const url = advertiseUrl(config);
    this.self = { id: new URL(url).host, url, forwardKey };
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    this.api = createStandbyServer({
      self: this.self,
      leader: () => this.leader,
      authority,
      bundle,
      metrics: () => registry.metrics(),
      // Executors show their tokens to the leader alone: here no host is let in.
      security: { ...security, hostTokens: new HostTokens('') },
      pathPrefix: config.pathPrefix ?? '',
      log,
    });
  }
}

/** One session with ZooKeeper: a place in the queue, and the lead when it comes to that. */
class Turn {
  /** Whether it came to that. */
  led = false;
  readonly #around: Surroundings;
  readonly #address: ZooKeeperAddress;
  readonly #standby: Standby;
  readonly #session: ZooKeeperSession;
  /** Fires when the turn is to end: by the process's signal, with the session, or by abdication. */
  readonly #end = new AbortController();

  constructor(around: Surroundings, address: ZooKeeperAddress, standby: Standby) {
    this.#around = around;
    this.#address = address;
    this.#standby = standby;
    this.#session = new ZooKeeperSession({
      servers: address.servers,
      credentials: address.credentials,
      timeoutMs: around.config.zkSessionTimeout * 1000,
      log: around.log,
    });
    void this.#session.ended.then((reason) => this.#end.abort(reason));
  }

  /** Undefined when another turn is worth while. @throws what no other turn mends */
  async take(signal: AbortSignal): Promise<LeadOutcome | undefined> {
    const stop = (): void => this.#stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      const outcome = await this.#queueAndLead();
      return signal.aborted ? { kind: 'stopped' } : outcome;
    } catch (error) {
      if (signal.aborted) return { kind: 'stopped' };
      if (!isPassing(error)) throw explainDenied(error, this.#address.path);
      this.#around.log.warn('a turn in the election came to nothing', { error: messageOf(error) });
      return undefined;
    } finally {
      signal.removeEventListener('abort', stop);
      await this.#session.close();
    }
  }

  async #queueAndLead(): Promise<LeadOutcome | undefined> {
    const { log } = this.#around;
    await this.#session.connected(this.#end.signal);
    const membership = await Membership.join({
      session: this.#session,
      path: new Layout(this.#address.path).election,
      acl: this.#acl,
      self: this.#standby.self,
      log,
      onLeader: (leader) => this.#follow(leader),
    });
    if (!(await this.#isElected(membership))) return undefined;
    log.info('elected', { candidate: this.#standby.self.id });
    this.#standby.leader = undefined;
    this.led = true;
    const outcome = await this.#lead();
    log.info('the turn to lead is over', { ...outcome });
    return (await this.#mayGoOn(outcome, membership)) ? undefined : outcome;
  }

  async #lead(): Promise<LeadOutcome> {
    const store = await openZooKeeperStore({
      session: this.#session,
      root: this.#address.path,
      acl: this.#acl,
    });
    const office = {
      store,
      mandate: mandateOf(this.#session),
      abdicate: () => this.#end.abort(),
      standIn: this.#standby.api,
    };
    return lead(this.#around, office, this.#end.signal);
  }

  /** False when the turn ends before. */
  #isElected(membership: Membership): Promise<boolean> {
    const { signal } = this.#end;
    return new Promise((resolve) => {
      void membership.elected.then(() => resolve(true));
      signal.addEventListener('abort', () => resolve(false), { once: true });
      if (signal.aborted) resolve(false);
    });
  }

  /** Whether the end of a lead is one of those after which it is right to queue up again. */
  async #mayGoOn(outcome: LeadOutcome, membership: Membership): Promise<boolean> {
    switch (outcome.kind) {
      case 'stopped':
      case 'superseded':
        return true;
      case 'failed-over':
        // By the next leader, if our place is gone; otherwise by somebody who uses our framework id beside us.
        return !(await membership.isKnown());
      case 'failed':
      case 'removed':
      case 'error':
        return false;
    }
  }

  #follow(leader: Candidate | undefined): void {
    if (sameCandidate(this.#standby.leader, leader)) return;
    this.#standby.leader = leader;
    this.#around.log.info('another scheduler leads', { leader: leader?.url });
  }

  /** Without ZooKeeper nothing can be brought to an end: then the session goes first. */
  #stop(): void {
    if (!this.#session.alive) void this.#session.close();
    this.#end.abort();
  }

  get #acl(): typeof openAcl {
    return this.#address.credentials === undefined ? openAcl : creatorAcl;
  }
}

const mandateOf = (session: ZooKeeperSession): Mandate => ({
  holds: () => session.alive,
  onChange: (listener) => session.onChange(listener),
});

/** What has to do with the network, with the session or with another scheduler, and not with us. */
function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (code === 'aborted' || code === 'unavailable' || code === 'deadline') return true;
  const reason = reasonOf(error);
  return reason === 'no-node' || reason === 'node-exists' || reason === 'bad-version';
}
