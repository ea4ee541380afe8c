import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { withDeadline } from '../runtime/deadline.ts';
import { createLogger } from '../runtime/logger.ts';
import { ZooKeeperSession } from '../zookeeper/session.ts';
import { endedEarly, startDaemon, type Daemon } from './daemon.ts';

export interface ZooKeeperServerOptions {
  /** Where its data and its settings are. What is there already is taken up again. */
  readonly directory: string;
  /** In the directory unless told. */
  readonly logFile?: string;
  /** On the loopback address. */
  readonly port: number;
  /** Marks its process as this cluster's. */
  readonly cluster?: string;
  /** Where it is one of several that keep the same data: its number among them, counted from 1, and all of them in turn. */
  readonly ensemble?: { readonly id: number; readonly members: readonly EnsembleMember[] };
}

/** Ports of the loopback address at which the servers of an ensemble find each other. */
export interface EnsembleMember {
  readonly quorumPort: number;
  readonly electionPort: number;
}

/** Debian's libzookeeper-java; the second one is what its log goes through. */
const classPath = ['/usr/share/java/zookeeper.jar', '/usr/share/java/slf4j-simple.jar'].join(':');

/**
 * Made to start quickly and to stay small, with as much room to grow as ZooKeeper's own scripts give it: it keeps the last
 * 500 transactions in memory (commitLogCount), and a group commit of ours is one of up to a megabyte.
 */
const javaFlags = ['-Xms32m', '-Xmx1000m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];

const startMs = 30_000;

/** One real ZooKeeper server of this machine, for development and tests. */
export class ZooKeeperServer {
  readonly #options: ZooKeeperServerOptions;
  #daemon: Daemon;

  private constructor(options: ZooKeeperServerOptions, daemon: Daemon) {
    this.#options = options;
    this.#daemon = daemon;
  }

  /**
   * Starts it and waits until it serves, which one of an ensemble does as soon as most of them run.
   * @throws PatchpanelError when it does not
   */
  static async start(options: ZooKeeperServerOptions): Promise<ZooKeeperServer> {
    const data = dataDirectory(options);
    await mkdir(data, { recursive: true });
    await writeFile(path.join(options.directory, 'zoo.cfg'), settings(options));
    if (options.ensemble !== undefined) await writeFile(path.join(data, 'myid'), String(options.ensemble.id));
    return new ZooKeeperServer(options, await startServing(options));
  }

  /** `127.0.0.1:2181`, for `zk://…/path`. */
  get address(): string {
    return `127.0.0.1:${this.#options.port}`;
  }

  get pid(): number {
    return this.#daemon.pid;
  }

  get running(): boolean {
    return this.#daemon.running;
  }

  /** How many transactions it has carried out, everybody's since its data began. */
  async transactions(): Promise<bigint> {
    const [, zxid = '0x0'] = /Zxid: (0x[0-9a-f]+)/.exec(await ask(this.#options.port, 'srvr')) ?? [];
    // The upper half counts elections of a server.
    return BigInt(zxid) & 0xffff_ffffn;
  }

  /** Whether it leads or follows in its ensemble, or is the only one; undefined while it does not serve. */
  async mode(): Promise<'standalone' | 'leader' | 'follower' | undefined> {
    const [, mode] = /Mode: (standalone|leader|follower)/.exec(await ask(this.#options.port, 'srvr')) ?? [];
    return mode as 'standalone' | 'leader' | 'follower' | undefined;
  }

  /** Ends it as a power cut would; its data stays. */
  async kill(): Promise<void> {
    await this.#daemon.kill();
  }

  /** Starts it again on its data. */
  async restart(): Promise<void> {
    await this.#daemon.kill();
    this.#daemon = await startServing(this.#options);
  }

  /** Neither reads nor answers until resume(), as a machine that hangs. */
  pause(): void {
    process.kill(this.#daemon.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.#daemon.pid, 'SIGCONT');
  }
}

async function startServing(options: ZooKeeperServerOptions): Promise<Daemon> {
  const { directory, logFile, port, cluster } = options;
  const daemon = await startDaemon({
    what: 'ZooKeeper server',
    cluster,
    file: '/usr/bin/java',
    args: [
      ...javaFlags,
      '-cp',
      classPath,
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      path.join(directory, 'zoo.cfg'),
    ],
    logFile: logFile ?? path.join(directory, 'zookeeper.log'),
  });
  // That it does not answer at first is no news.
  const log = createLogger('zookeeper', 'error');
  const session = new ZooKeeperSession({ servers: [{ host: '127.0.0.1', port }], timeoutMs: 10_000, log });
  const ended = daemon.exited.then(async () => Promise.reject(await endedEarly(daemon)));
  try {
    await withDeadline(Promise.race([session.connected(), ended]), startMs, 'the start of ZooKeeper');
    return daemon;
  } catch (error) {
    await daemon.kill();
    throw error;
  } finally {
    ended.catch(() => undefined);
    await session.close();
  }
}

/** Sessions may last from one second to a minute. */
const settings = (options: ZooKeeperServerOptions): string =>
  [
    'tickTime=500',
    'minSessionTimeout=1000',
    'maxSessionTimeout=60000',
    `dataDir=${dataDirectory(options)}`,
    `clientPort=${options.port}`,
    'clientPortAddress=127.0.0.1',
    'admin.enableServer=false',
    '4lw.commands.whitelist=ruok,srvr,mntr',
    ...ensembleSettings(options),
    '',
  ].join('\n');

/** Ticks that a server may take to catch up, and that may pass without a word of it. */
const ensembleSettings = ({ ensemble }: ZooKeeperServerOptions): readonly string[] =>
  ensemble === undefined
    ? []
    : [
        'initLimit=20',
        'syncLimit=6',
        ...ensemble.members.map(
          ({ quorumPort, electionPort }, index) =>
            `server.${index + 1}=127.0.0.1:${quorumPort}:${electionPort}`,
        ),
      ];

const dataDirectory = ({ directory }: ZooKeeperServerOptions): string => path.join(directory, 'data');

/** One of ZooKeeper's four letter words. */
async function ask(port: number, word: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(word);
  return text(socket);
}
