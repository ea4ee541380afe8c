import { connect, createServer, type Server, type Socket } from 'node:net';

/** A connection through a relay: the client's end and the server's. */
type Pair = readonly [Socket, Socket];

/**
 * A TCP relay on the loopback address: the network between one scheduler and ZooKeeper, which can break.
 * INVARIANT: what was sent through a connection that did not break arrives, in order, sooner or later.
 */
export class Relay {
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  #state: 'whole' | 'held' | 'refused' = 'whole';

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (client) => this.#join(client));
  }

  /** @param target the port that it passes everything on to */
  static start(target: number): Promise<Relay> {
    const server = createServer({ pauseOnConnect: true });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(new Relay(server, target)));
    });
  }

  get address(): string {
    const address = this.#server.address();
    return `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  }

  /** Nothing passes, and nobody is told: what is sent meanwhile arrives after heal(). */
  hold(): void {
    this.#state = 'held';
    for (const pair of this.#pairs) for (const end of pair) end.pause();
  }

  /** Every connection breaks, and so does each new one until heal(). */
  refuse(): void {
    this.#state = 'refused';
    for (const [client] of this.#pairs) client.resetAndDestroy();
  }

  heal(): void {
    this.#state = 'whole';
    for (const pair of this.#pairs) for (const end of pair) end.resume();
  }

  close(): Promise<void> {
    this.refuse();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #join(client: Socket): void {
    if (this.#state === 'refused') return void client.resetAndDestroy();
    const server = connect({ port: this.#target, host: '127.0.0.1' });
    const pair: Pair = [client, server];
    this.#pairs.add(pair);
    this.#pass(client, server, pair);
    this.#pass(server, client, pair);
    for (const end of pair) if (this.#state === 'held') end.pause();
  }

  /** Bytes of one end to the other one, until either breaks. */
  #pass(from: Socket, to: Socket, pair: Pair): void {
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (to.write(chunk) || this.#state === 'held') return;
      from.pause();
      to.once('drain', () => this.#state === 'held' || from.resume());
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#pairs.delete(pair);
      to.destroy();
    });
    if (this.#state !== 'held') from.resume();
  }
}

/** One relay for each scheduler of a cluster, for `zookeeperFor`. */
export class Relays {
  readonly #relays: Relay[] = [];

  /** Begins one and gives its address. */
  readonly between = async (scheduler: number, address: string): Promise<string> => {
    const relay = await Relay.start(Number(address.split(':')[1]));
    this.#relays[scheduler] = relay;
    return relay.address;
  };

  get all(): readonly Relay[] {
    return this.#relays;
  }

  async close(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.close()));
  }
}
