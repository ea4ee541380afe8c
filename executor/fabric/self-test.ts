import { switchNetworkSpec } from '../../src/fabric/network-spec.ts';
import { echoIp, echoPort, selfTestSetup, type SelfTestSetup } from '../../src/fabric/self-test.ts';
import type { EndpointKey, View, ViewHost } from '../../src/fabric/view.ts';
import type { SelfTestResult } from '../../src/model/host.ts';
import type { AgentId } from '../../src/model/ids.ts';
import type { SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';
import type { SpaceRequest } from '../adapters/selftest/exchange.ts';

const TCP_PORT = 7_000;
/** Some 300 segments of full size in each direction. */
const TCP_BYTES = 400_000;
/** Generous: a busy host is not a broken one. */
const TCP_TIMEOUT_MS = 10_000;
const ECHO_TIMEOUT_MS = 4_000;
/** IPv4 and UDP header. */
const DATAGRAM_OVERHEAD = 28;
const SMALL_DATAGRAM = 64;
/** A peer may be the broken one: it takes two to say that it is this host. */
const MAX_PEERS = 2;
const AGAIN_AFTER_MS = 10_000;
/** After a pass: what worked may break. */
const EVERY_MS = 300_000;

/** A namespace with a program in it. */
export interface Space {
  start(): Promise<number>;
  ask(request: SpaceRequest): Promise<string | undefined>;
  close(): Promise<void>;
}

/** What a self-test needs of the switch; small, so that tests can do without Open vSwitch. */
export interface SelfTestParts {
  readonly agentId: AgentId;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly newSpace: () => Space;
  readonly view: () => View;
  /** Largest packet of an endpoint, in bytes. */
  readonly mtu: () => Promise<number>;
  /** Puts what a test needs besides the view in force, or takes it away. */
  readonly arrange: (setup: SelfTestSetup | undefined) => Promise<void>;
  readonly prepare: (endpoint: EndpointKey, network: SwitchNetworkSpec) => void;
  readonly attach: (endpoint: EndpointKey, pid: number, signal: AbortSignal) => Promise<unknown>;
  readonly detach: (endpoint: EndpointKey) => Promise<void>;
  /** Another result than the last one. */
  readonly onResult: (result: SelfTestResult) => void;
}

/**
 * Tries whether this host can carry traffic: two namespaces through the bridge with full-size TCP in both directions, and
 * packets of full size to another host's switch and back. Beside everything else: nobody waits for it.
 * A test that cannot be made says nothing about the host.
 * INVARIANTS: one test at a time; what a test made is taken away, whatever its result; after a failure it is tried again
 * soon, after a pass now and then, and without a peer so far as soon as there is one.
 */
export class SelfTest {
  readonly #parts: SelfTestParts;
  readonly #loop: Loop;
  #cancelNext = (): void => undefined;
  #run = 0;
  /** Peers that the last test asked, all of them without success unless it passed. */
  #asked = 0;
  #result: SelfTestResult | undefined;
  #signal = new AbortController().signal;

  constructor(parts: SelfTestParts) {
    this.#parts = parts;
    this.#loop = new Loop({
      clock: parts.clock,
      random: parts.random,
      backoff: { baseMs: AGAIN_AFTER_MS, maxMs: AGAIN_AFTER_MS, factor: 1 },
      onError: (error) => parts.log.warn('the self-test could not be made; it is tried again', { error }),
      round: (signal) => this.#round(signal),
    });
  }

  /** The last result; undefined before the first. */
  get result(): SelfTestResult | undefined {
    return this.#result;
  }

  /** Tests anew: at the start, and when something about the host has changed. */
  trigger(): void {
    this.#loop.trigger();
  }

  /** There is another view: a host that had no peer so far, or just one that may be the broken one, may have another now. */
  follow(view: View): void {
    if (this.#result === undefined || this.#asked >= MAX_PEERS) return;
    const { passed, peer } = this.#result;
    const inDoubt = passed ? peer === undefined : this.#asked > 0;
    if (inDoubt && this.#peersOf(view).length > this.#asked) this.#loop.trigger();
  }

  /** Ends; a test under way fails and takes away what it made. */
  async stop(): Promise<void> {
    this.#cancelNext();
    await this.#loop.stop();
  }

  async #round(signal: AbortSignal): Promise<void> {
    this.#cancelNext();
    this.#signal = signal;
    this.#run += 1;
    this.#asked = 0;
    const { log, clock, onResult } = this.#parts;
    const started = clock.now();
    const result = await this.#test();
    if (signal.aborted) return;
    const before = this.#result;
    this.#result = result;
    log[result.passed ? 'info' : 'error']('self-test', { ...result, tookMs: clock.now() - started });
    if (before?.passed !== result.passed || before.problem !== result.problem || before.peer !== result.peer)
      onResult(result);
    this.#cancelNext = clock.after(result.passed ? EVERY_MS : AGAIN_AFTER_MS, () => this.#loop.trigger());
    // A peer may have come while the test was under way.
    this.follow(this.#parts.view());
  }

  async #test(): Promise<SelfTestResult> {
    const mtu = await this.#parts.mtu();
    const spaces = [this.#parts.newSpace(), this.#parts.newSpace()] as const;
    const { pair, network } = selfTestSetup(this.#parts.agentId, this.#run, mtu, undefined);
    try {
      await this.#parts.arrange(selfTestSetup(this.#parts.agentId, this.#run, mtu, undefined));
      await Promise.all(
        pair.map(async (endpoint, index) => {
          this.#parts.prepare(endpoint, switchNetworkSpec(endpoint, network, []));
          const pid = await spaces[index]!.start();
          await this.#parts.attach(endpoint, pid, this.#signal);
        }),
      );
      const problem = await this.#betweenBoth(spaces, pair);
      if (problem !== undefined) return { passed: false, problem };
      return await this.#toPeers(spaces[0], mtu);
    } finally {
      await this.#takeAway(spaces, pair);
    }
  }

  async #betweenBoth(
    [one, other]: readonly [Space, Space],
    pair: SelfTestSetup['pair'],
  ): Promise<string | undefined> {
    await other.ask({ kind: 'serve', port: TCP_PORT });
    const problem = await one.ask({
      kind: 'exchange',
      ip: pair[1].ip,
      port: TCP_PORT,
      bytes: TCP_BYTES,
      timeoutMs: TCP_TIMEOUT_MS,
    });
    return problem === undefined ? undefined : `TCP between two namespaces of this host: ${problem}`;
  }

  /** Passes with the first peer that answers, and when there is none. */
  async #toPeers(space: Space, mtu: number): Promise<SelfTestResult> {
    const peers = this.#peersOf(this.#parts.view());
    let problem: string | undefined;
    for (const peer of this.#choose(peers)) {
      const { agentId, arrange } = this.#parts;
      this.#asked += 1;
      await arrange(selfTestSetup(agentId, this.#run, mtu, peer.id));
      problem = await echoed(space, peer, mtu);
      if (problem === undefined) return { passed: true, peer: peer.hostname };
    }
    return problem === undefined ? { passed: true } : { passed: false, problem };
  }

  #peersOf(view: View): readonly ViewHost[] {
    return view.hosts.filter(({ id }) => id !== this.#parts.agentId);
  }

  #choose(peers: readonly ViewHost[]): readonly ViewHost[] {
    const first = Math.floor(this.#parts.random() * peers.length);
    return [...peers.slice(first), ...peers.slice(0, first)].slice(0, MAX_PEERS);
  }

  async #takeAway(spaces: readonly Space[], pair: SelfTestSetup['pair']): Promise<void> {
    const { detach, arrange, log } = this.#parts;
    const done = await Promise.allSettled(pair.map((endpoint) => detach(endpoint)));
    done.push(...(await Promise.allSettled([arrange(undefined), ...spaces.map((space) => space.close())])));
    for (const each of done) {
      // Ports and veths that are left belong to nobody: they are swept.
      if (each.status === 'rejected')
        log.warn('something of a self-test is left', { error: each.reason as unknown });
    }
  }
}

/** A small packet first: it tells apart a host that cannot be reached and one that only small packets reach. */
async function echoed(space: Space, peer: ViewHost, mtu: number): Promise<string | undefined> {
  const ask = (bytes: number): Promise<string | undefined> =>
    space.ask({ kind: 'echo', ip: echoIp, port: echoPort, bytes, timeoutMs: ECHO_TIMEOUT_MS });
  const way = `${peer.hostname} (${peer.underlayIp})`;
  if ((await ask(SMALL_DATAGRAM)) !== undefined)
    return `no packet reaches ${way} through the tunnel and comes back`;
  if ((await ask(mtu - DATAGRAM_OVERHEAD)) === undefined) return undefined;
  return `packets of ${mtu} bytes do not reach ${way} through the tunnel, small ones do: the underlay carries less than its MTU`;
}
