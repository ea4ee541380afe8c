import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanCluster, removeAll } from '../../src/devcluster/cleanup.ts';
import { Ledger } from '../../src/devcluster/ledger.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { run, tryRun } from '../../src/runtime/process.ts';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const START_TIMEOUT_MS = 10_000;

const log = createLogger('underlay', 'warn');

/** One simulated host: a network namespace with an Open vSwitch of its own and a leg in the underlay. */
export interface TestHost {
  readonly netns: string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly underlayIp: string;
  /** Ends ovs-vswitchd at once, as a crash does, and resolves when it is gone. */
  killSwitchd(): Promise<void>;
  startSwitchd(): Promise<void>;
  /** Ends ovsdb-server at once and starts it again, with an empty database when told so. */
  restartDatabase(empty: boolean): Promise<void>;
  /** Standard output of a program in the host's namespace. */
  exec(file: string, args: readonly string[]): Promise<string>;
  /** Flows as `ovs-ofctl dump-flows` prints them, with counters. */
  flows(bridge: string): Promise<string>;
}

/** A process that holds a network namespace, as a sandbox container does. */
export interface TestSandbox {
  readonly pid: number;
  exec(file: string, args: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  close(): Promise<void>;
}

/** Hosts that reach each other over an underlay; everything of it is gone after close(). */
export interface TestUnderlay {
  readonly hosts: readonly TestHost[];
  /** Hands a closer to the underlay; it runs before the hosts go. */
  defer(close: () => Promise<void>): void;
  sandbox(): Promise<TestSandbox>;
  /** A machine on the underlay that has nothing to do with the fabric, at this address (198.19.250.x). */
  outsider(name: string, ip: string): Promise<TestSandbox>;
  close(): Promise<void>;
}

/**
 * Starts `count` hosts, `<prefix>-h1` and so on. The prefix must be unique on the machine and at most 8 characters; what
 * a killed run with that prefix has left is removed first.
 */
export async function startUnderlay(prefix: string, count: number): Promise<TestUnderlay> {
  await cleanCluster(prefix, log);
  const directory = await mkdtemp(join(tmpdir(), `${prefix}-`));
  // By this it is removed when the tests are interrupted.
  const ledger = await Ledger.create(prefix, directory);
  const closers: (() => Promise<void>)[] = [() => removeAll(ledger, log)];
  const close = async () => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  const defer = (closer: () => Promise<void>) => void closers.push(closer);
  try {
    await ledger.add({ kind: 'directory', path: directory });
    const hub = `${prefix}-net`;
    await addNamespace(hub, ledger);
    await run('ip', ['-n', hub, 'link', 'add', 'br0', 'type', 'bridge']);
    await run('ip', ['-n', hub, 'link', 'set', 'br0', 'up']);
    const hosts: TestHost[] = [];
    for (let number = 1; number <= count; number += 1) {
      await addNamespace(`${prefix}-h${number}`, ledger);
      hosts.push(await startHost(prefix, number, hub, directory, defer));
    }
    const outsider = (name: string, ip: string) =>
      startOutsider({ netns: hub, bridge: 'br0', name, ip }, defer);
    return { hosts, defer, close, sandbox: () => startSandbox(defer), outsider };
  } catch (error) {
    await close();
    throw error;
  }
}

type Defer = (close: () => Promise<void>) => void;

async function addNamespace(name: string, ledger: Ledger): Promise<void> {
  await ledger.add({ kind: 'netns', name });
  await run('ip', ['netns', 'add', name]);
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
}

async function startHost(
  prefix: string,
  number: number,
  hub: string,
  directory: string,
  defer: Defer,
): Promise<TestHost> {
  const netns = `${prefix}-h${number}`;
  const runDir = join(directory, `h${number}`);
  const database = join(runDir, 'conf.db');
  const socket = join(runDir, 'db.sock');
  const underlayIp = `198.19.250.${10 + number}`;
  await mkdir(runDir);
  await joinHub(netns, hub, `u${number}`);
  await run('ovsdb-tool', ['create', database, SCHEMA]);
  const server = new Daemon(netns, runDir, 'ovsdb-server', [database, `--remote=punix:${socket}`], socket);
  defer(() => server.kill());
  await server.start();
  const initialise = () => run('ovs-vsctl', ['--no-wait', `--db=unix:${socket}`, 'init']);
  const restartDatabase = async (empty: boolean) => {
    await server.kill();
    if (empty) {
      await rm(database);
      await run('ovsdb-tool', ['create', database, SCHEMA]);
    }
    await server.start();
    await initialise();
    if (empty) await addUnderlayBridge(netns, socket, underlayIp);
  };
  await initialise();
  const switchd = new Daemon(
    netns,
    runDir,
    'ovs-vswitchd',
    [`unix:${socket}`],
    join(runDir, 'ovs-vswitchd.ctl'),
  );
  defer(() => switchd.kill());
  await switchd.start();
  await addUnderlayBridge(netns, socket, underlayIp);
  const exec = (file: string, args: readonly string[]) =>
    run(file, args, { netns, env: { OVS_RUNDIR: runDir } });
  return {
    netns,
    runDir,
    stateDir: join(directory, `state${number}`),
    underlayIp,
    killSwitchd: () => switchd.kill(),
    startSwitchd: () => switchd.start(),
    restartDatabase,
    exec,
    flows: (bridge) => exec('ovs-ofctl', ['-O', 'OpenFlow14', 'dump-flows', `unix:${runDir}/${bridge}.mgmt`]),
  };
}

const daemonArgs = (runDir: string, name: string) => [
  `--pidfile=${runDir}/${name}.pid`,
  `--unixctl=${runDir}/${name}.ctl`,
  '-vconsole:off',
  `--log-file=${runDir}/${name}.log`,
];

async function joinHub(netns: string, hub: string, port: string): Promise<void> {
  await run('ip', [
    '-n',
    hub,
    'link',
    'add',
    port,
    'type',
    'veth',
    'peer',
    'name',
    'uplink0',
    'netns',
    netns,
  ]);
  await run('ip', ['-n', hub, 'link', 'set', port, 'master', 'br0', 'up']);
  await run('ethtool', ['-K', 'uplink0', 'tx', 'off'], { netns });
  await run('ip', ['-n', netns, 'link', 'set', 'uplink0', 'up']);
}

async function addUnderlayBridge(netns: string, socket: string, underlayIp: string): Promise<void> {
  const bridge = ['--', 'set', 'Bridge', 'br-phy', 'datapath_type=netdev'];
  const port = ['--', 'add-port', 'br-phy', 'uplink0'];
  await run('ovs-vsctl', [`--db=unix:${socket}`, '--timeout=10', 'add-br', 'br-phy', ...bridge, ...port]);
  await run('ip', ['-n', netns, 'address', 'replace', `${underlayIp}/24`, 'dev', 'br-phy']);
  await run('ip', ['-n', netns, 'link', 'set', 'br-phy', 'up']);
}

/** A daemon in the foreground that counts as started when its socket accepts. */
class Daemon {
  readonly #command: readonly string[];
  readonly #runDir: string;
  readonly #socket: string;
  #child: ChildProcess | undefined;

  constructor(netns: string, runDir: string, file: string, args: readonly string[], socket: string) {
    this.#command = ['netns', 'exec', netns, file, ...args, ...daemonArgs(runDir, file)];
    this.#runDir = runDir;
    this.#socket = socket;
  }

  async start(): Promise<void> {
    this.#child = spawn('ip', this.#command, {
      stdio: 'ignore',
      env: { ...process.env, OVS_RUNDIR: this.#runDir },
    });
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await accepts(this.#socket))) {
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`${this.#command.join(' ')} did not start (exit code ${this.#child.exitCode})`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** `cat` in a new namespace: it answers a line once it is inside, and ends with its input if we die. */
export async function startSandbox(defer: Defer): Promise<TestSandbox> {
  const child = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const close = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  defer(close);
  child.stdin.write('ready\n');
  await once(child.stdout, 'data');
  const pid = child.pid!;
  return {
    pid,
    close,
    exec: (file, args) => tryRun('nsenter', ['-t', String(pid), '-n', file, ...args]),
  };
}

/** Where a machine outside of the fabric is plugged in: the bridge of a hub, the name of the port, the address. */
export interface OutsiderPlace {
  readonly netns: string;
  readonly bridge: string;
  readonly name: string;
  readonly ip: string;
}

/** A namespace with one cable to the underlay's hub; its closer removes it. */
export async function startOutsider(
  { netns: hub, bridge, name, ip }: OutsiderPlace,
  defer: (close: () => Promise<void>) => void,
): Promise<TestSandbox> {
  const box = await startSandbox(defer);
  // The same MAC for an address each time: hosts that knew an earlier one under it would go on sending to that.
  const mac = ['0e', '00', ...ip.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'))].join(
    ':',
  );
  const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'address', mac, 'netns', String(box.pid)];
  await run('ip', ['-n', hub, 'link', 'add', name, ...peer]);
  // The kernel takes a dead process's namespace, and the cable with it, away some time later: the name must be free now.
  defer(async () => void (await tryRun('ip', ['-n', hub, 'link', 'delete', name])));
  await run('ip', ['-n', hub, 'link', 'set', name, 'master', bridge, 'up']);
  // The hosts' switches carry no frames whose checksum was left to the device.
  await box.exec('ethtool', ['-K', 'eth0', 'tx', 'off']);
  await box.exec('ip', ['link', 'set', 'lo', 'up']);
  await box.exec('ip', ['address', 'add', `${ip}/24`, 'dev', 'eth0']);
  await box.exec('ip', ['link', 'set', 'eth0', 'up']);
  return box;
}
