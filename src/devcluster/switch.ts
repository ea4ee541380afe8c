import { access, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { sleep } from '../runtime/deadline.ts';
import { PatchpanelError } from '../runtime/errors.ts';
import { run, tryRun } from '../runtime/process.ts';
import { endedEarly, startDaemon, type Daemon } from './daemon.ts';
import { ipBatch } from './links.ts';
import { prefixLength, type HostPlan } from './plan.ts';

const schema = '/usr/share/openvswitch/vswitch.ovsschema';
const startTimeoutMs = 20_000;

/** Bridge that holds the uplink; its own port has the underlay address, as native tunnels of the netdev datapath need. */
const physicalBridge = 'br-phy';

export interface SwitchOptions {
  readonly cluster: string;
  readonly host: HostPlan;
  /** Sockets, pid files and the database. */
  readonly runDir: string;
  readonly logDir: string;
}

/**
 * The Open vSwitch of one host: its own ovsdb-server and ovs-vswitchd in the host's namespace, datapath `netdev`.
 * INVARIANT: after start() the underlay address is up and Open vSwitch has a route to the underlay.
 */
export class HostSwitch {
  readonly #options: SwitchOptions;
  #database: Daemon | undefined;
  #daemon: Daemon | undefined;

  constructor(options: SwitchOptions) {
    this.#options = options;
  }

  get running(): boolean {
    return this.#database?.running === true && this.#daemon?.running === true;
  }

  /** Starts what does not run; a database that exists is kept, so bridges and ports come back. */
  async start(): Promise<void> {
    await mkdir(this.#options.runDir, { recursive: true });
    if (this.#database?.running !== true) await this.#startDatabase();
    if (this.#daemon?.running !== true) await this.#startDaemon();
    await this.#configureUnderlay();
  }

  /** SIGKILL to ovs-vswitchd, as in a crash: the datapath is gone, the database stays. */
  async crash(): Promise<void> {
    await this.#daemon?.kill();
  }

  /** Ends both processes and waits. */
  async stop(): Promise<void> {
    await this.#daemon?.stop(5_000);
    await this.#database?.stop(5_000);
  }

  async #startDatabase(): Promise<void> {
    const { host, runDir, logDir, cluster } = this.#options;
    const database = path.join(runDir, 'conf.db');
    if (!(await exists(database))) await run('ovsdb-tool', ['create', database, schema]);
    const socket = path.join(runDir, 'db.sock');
    await rm(socket, { force: true });
    this.#database = await startDaemon({
      what: `switch database of ${host.name}`,
      cluster,
      file: 'ovsdb-server',
      args: [database, `--remote=punix:${socket}`, '--pidfile', '--no-chdir', '-vsyslog:off'],
      env: this.#environment(),
      netns: host.netns,
      logFile: path.join(logDir, `${host.name}-ovsdb-server.log`),
    });
    await this.#initialise(this.#database);
  }

  /** What Debian's start script writes into a new database; idempotent. */
  async #initialise(database: Daemon): Promise<void> {
    const version = /\d+\.\d+\.\d+/.exec(await run('ovs-vswitchd', ['--version']))?.[0] ?? 'unknown';
    const { hostname } = this.#options.host;
    const settings = [`ovs_version=${version}`, ...identity(hostname, this.#options.runDir)];
    await this.#vsctl(database, [['--no-wait'], ['init'], ['set', 'Open_vSwitch', '.', ...settings]]);
  }

  async #startDaemon(): Promise<void> {
    const { host, runDir, logDir, cluster } = this.#options;
    await this.#removeOldSockets();
    this.#daemon = await startDaemon({
      what: `switch of ${host.name}`,
      cluster,
      file: 'ovs-vswitchd',
      args: [`unix:${path.join(runDir, 'db.sock')}`, '--pidfile', '--no-chdir', '-vsyslog:off'],
      env: this.#environment(),
      netns: host.netns,
      logFile: path.join(logDir, `${host.name}-ovs-vswitchd.log`),
    });
  }

  /** Control sockets carry the process's number: those of crashed ones stay behind. */
  async #removeOldSockets(): Promise<void> {
    const { runDir } = this.#options;
    const pidFile = path.join(runDir, 'ovs-vswitchd.pid');
    if (!(await exists(pidFile))) return;
    const pid = (await readFile(pidFile, 'utf8')).trim();
    await rm(path.join(runDir, `ovs-vswitchd.${pid}.ctl`), { force: true });
    await rm(pidFile, { force: true });
  }

  /** ovs-vsctl returns when ovs-vswitchd has carried the change out, so nothing here waits on a clock. */
  async #configureUnderlay(): Promise<void> {
    const { host } = this.#options;
    const settings = ['datapath_type=netdev', `other-config:hwaddr="${host.underlayMac}"`];
    await this.#vsctl(this.#daemon!, [
      [],
      ['--may-exist', 'add-br', physicalBridge],
      ['set', 'Bridge', physicalBridge, 'fail_mode=standalone', ...settings],
      ['--may-exist', 'add-port', physicalBridge, 'uplink0'],
    ]);
    await ipBatch(
      [
        `address replace ${host.underlayIp}/${prefixLength} dev ${physicalBridge}`,
        `link set ${physicalBridge} up`,
      ],
      host.netns,
    );
    await this.#awaitTunnelRoute();
  }

  /** The tunnel code has a routing table of its own, fed by the kernel's announcements: wait for ours to arrive. */
  async #awaitTunnelRoute(): Promise<void> {
    const end = performance.now() + startTimeoutMs;
    const wanted = `${this.#options.host.underlayIp}/32 dev ${physicalBridge}`;
    for (;;) {
      // A switch that comes up on a database with nothing to change may not listen yet: that is a "not yet", too.
      const { exitCode, stdout } = await tryRun('ovs-appctl', ['-t', 'ovs-vswitchd', 'ovs/route/show'], {
        env: this.#environment(),
      });
      if (exitCode === 0 && stdout.includes(wanted)) return;
      if (performance.now() > end)
        throw new PatchpanelError(
          'deadline',
          `the switch of ${this.#options.host.name} sees no route for tunnels`,
        );
      await sleep(20);
    }
  }

  /** Runs ovs-vsctl with global options and commands; when the daemon that it talks to dies, the error says so. */
  async #vsctl(needed: Daemon, [options = [], ...commands]: readonly (readonly string[])[]): Promise<void> {
    const timeout = `--timeout=${startTimeoutMs / 1000}`;
    const words = commands.flatMap((command) => ['--', ...command]);
    const command = run('ovs-vsctl', ['--retry', timeout, ...options, ...words], {
      env: this.#environment(),
      timeoutMs: startTimeoutMs + 5_000,
    });
    const death = needed.exited.then(async () => Promise.reject(await endedEarly(needed)));
    await Promise.race([command, death]);
  }

  #environment(): Record<string, string> {
    const { runDir } = this.#options;
    return { OVS_RUNDIR: runDir, OVS_DBDIR: runDir, OVS_LOGDIR: this.#options.logDir };
  }
}

function identity(hostname: string, runDir: string): readonly string[] {
  return [
    `external-ids:system-id=${hostname}`,
    `external-ids:hostname=${hostname}`,
    `external-ids:rundir="${runDir}"`,
  ];
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
