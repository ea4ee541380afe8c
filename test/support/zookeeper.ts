import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { clusterVariable } from '../../src/devcluster/processes.ts';
import { ZooKeeperServer } from '../../src/devcluster/zookeeper.ts';
import { ZooKeeperSession } from '../../src/zookeeper/session.ts';
import { freePort } from '../../src/devcluster/addresses.ts';
import { recordingLogger } from './recording-logger.ts';

/** A real ZooKeeper for one test file, with a new tree and new sessions for each test. */
export class ZooKeeperBench {
  readonly server: ZooKeeperServer;
  readonly #directory: string;
  readonly #sessions: ZooKeeperSession[] = [];
  #trees = 0;

  private constructor(server: ZooKeeperServer, directory: string) {
    this.server = server;
    this.#directory = directory;
  }

  static async start(): Promise<ZooKeeperBench> {
    const directory = await mkdtemp(path.join(tmpdir(), 'pp-zk-'));
    try {
      // By this it is found when the tests are interrupted.
      const cluster = process.env[clusterVariable];
      const marked = cluster === undefined ? {} : { cluster };
      const server = await ZooKeeperServer.start({ directory, port: await freePort(), ...marked });
      return new ZooKeeperBench(server, directory);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** A path that no other test uses. */
  newTree(): string {
    this.#trees += 1;
    return `/test-${this.#trees}/patchpanel`;
  }

  /** A connected session that ends with the test. */
  async session(timeoutMs = 10_000, credentials?: string): Promise<ZooKeeperSession> {
    const [host = '', port] = this.server.address.split(':');
    const log = recordingLogger();
    const servers = [{ host, port: Number(port) }];
    const session = new ZooKeeperSession({ servers, credentials, timeoutMs, log });
    this.#sessions.push(session);
    await session.connected();
    return session;
  }

  /** Ends the sessions of a test. */
  async endSessions(): Promise<void> {
    await Promise.all(this.#sessions.splice(0).map((session) => session.close()));
  }

  async stop(): Promise<void> {
    await this.endSessions();
    await this.server.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
