import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ZooKeeperServer } from '../../src/devcluster/zookeeper.ts';
import { freePort } from '../../src/devcluster/addresses.ts';

/** Three real ZooKeeper servers that keep the same data. Stop them also when the test fails. */
export class ZooKeeperEnsemble {
  readonly servers: readonly ZooKeeperServer[];
  readonly #directory: string;

  private constructor(servers: readonly ZooKeeperServer[], directory: string) {
    this.servers = servers;
    this.#directory = directory;
  }

  /** Resolves when all of them serve. */
  static async start(): Promise<ZooKeeperEnsemble> {
    const directory = await mkdtemp(path.join(tmpdir(), 'pp-zks-'));
    const members: { quorumPort: number; electionPort: number }[] = [];
    for (let n = 0; n < 3; n += 1)
      members.push({ quorumPort: await freePort(), electionPort: await freePort() });
    const starts = members.map(async (_, index) =>
      ZooKeeperServer.start({
        directory: path.join(directory, String(index + 1)),
        port: await freePort(),
        ensemble: { id: index + 1, members },
      }),
    );
    const started = await Promise.allSettled(starts);
    const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const ensemble = new ZooKeeperEnsemble(servers, directory);
    const failed = started.find((each) => each.status === 'rejected');
    if (failed === undefined) return ensemble;
    await ensemble.stop();
    throw failed.reason;
  }

  /** `127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183` */
  get addresses(): string {
    return this.servers.map(({ address }) => address).join(',');
  }

  /** One that leads the others, or one that follows. */
  async one(mode: 'leader' | 'follower'): Promise<ZooKeeperServer> {
    for (const server of this.servers) if ((await server.mode()) === mode) return server;
    throw new Error(`none of the servers is a ${mode}`);
  }

  /** Makes whole what a test has broken. */
  async heal(): Promise<void> {
    for (const server of this.servers) if (server.running) server.resume();
    const dead = this.servers.filter((server) => !server.running);
    await Promise.all(dead.map((server) => server.restart()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}
