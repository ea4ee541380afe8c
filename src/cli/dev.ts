import { Command, InvalidArgumentError } from 'commander';
import { cleanCluster, cleanDeadClusters } from '../devcluster/cleanup.ts';
import type { DevCluster } from '../devcluster/cluster.ts';
import { ControlClient } from '../devcluster/control-client.ts';
import { runInForeground } from '../devcluster/foreground.ts';
import type { DevClusterOptions, DevClusterStatus } from '../devcluster/options.ts';
import { createLogger } from '../runtime/logger.ts';
import { bold, print, remark, table } from './output.ts';

interface DevOptions {
  readonly name: string;
  readonly hosts: number;
  readonly stateDir?: string;
  readonly api: string;
  readonly masterListen: string;
  readonly controlListen: string;
  readonly scheduler: boolean;
  readonly schedulers: number;
  readonly logLevel: NonNullable<DevClusterOptions['logLevel']>;
  readonly json: boolean;
}

/** `patchpanel dev …`: the one-machine cluster and its controls. */
export function devCommand(): Command {
  const dev = new Command('dev')
    .option('--hosts <number>', 'how many hosts', wholeNumber, 3)
    .option('--name <name>', 'names the parts of the cluster on the machine', 'pp')
    .option('--api <ip:port>', "where the scheduler's API listens", '127.0.0.1:8080')
    .option('--master-listen <ip:port>', 'where the Mesos master listens', '127.0.0.1:5050')
    .option('--control-listen <ip:port>', 'where the controls of the cluster listen', '127.0.0.1:5049')
    .option('--state-dir <directory>', 'logs and state (default: /var/lib/patchpanel-dev/<name>)')
    .option('--schedulers <number>', 'how many, sharing a ZooKeeper; one leads', wholeNumber, 1)
    .option('--no-scheduler', 'Mesos and hosts only, for a framework that you start yourself')
    .option('--log-level <level>', 'debug, info, warn or error', 'info')
    .action((_options, command: Command) => start(command.optsWithGlobals()));
  addStatus(dev);
  addHostControls(dev);
  addClusterControls(dev);
  return dev;
}

function addStatus(dev: Command): void {
  dev
    .command('status')
    .description('show the hosts and what was done to them')
    .action(async (_options, command: Command) => {
      const { name, json } = command.optsWithGlobals<DevOptions>();
      const status = await (await ControlClient.of(name)).status();
      print(json, status, () => statusText(status));
    });
  dev
    .command('clean')
    .description('remove what a cluster that was killed has left')
    .option('--all', 'of every name', false)
    .action((_options, command: Command) => clean(command.optsWithGlobals()));
}

function addHostControls(dev: Command): void {
  dev
    .command('cut <host>')
    .description('cut a host off from master and scheduler, without a word to anybody')
    .option('--all', 'from the other hosts too', false)
    .action((host: string, options: { readonly all: boolean }, command: Command) =>
      control(command, `${hostPath(host)}/cut`, `${host} is cut off`, {
        what: options.all ? 'all' : 'management',
      }),
    );
  const simple = [
    ['heal', 'heal', 'connect a host again', 'is connected'],
    ['stop-host', 'stop', 'take the power of a host away', 'is off'],
    ['start-host', 'start', 'give a host its power back', 'is on'],
    ['kill-executor', 'kill-executor', 'SIGKILL to the executor of a host', 'has lost its executor'],
    [
      'restart-switch',
      'restart-switch',
      'kill the Open vSwitch of a host and start it anew',
      'has a new switch',
    ],
    [
      'stop-agent',
      'stop-agent',
      'SIGKILL to the Mesos agent of a host; its containers run on',
      'has no agent',
    ],
    ['start-agent', 'start-agent', 'start the Mesos agent of a host again', 'has its agent back'],
  ] as const;
  for (const [name, action, description, done] of simple) {
    dev
      .command(`${name} <host>`)
      .description(description)
      .action((host: string, _options, command: Command) =>
        control(command, `${hostPath(host)}/${action}`, `${host} ${done}`),
      );
  }
}

const hostPath = (host: string): string => `/v1/hosts/${encodeURIComponent(host)}`;

function addClusterControls(dev: Command): void {
  const simple = [
    ['failover', 'let the Mesos master die and another one lead', 'another master leads'],
    ['kill-scheduler', 'SIGKILL to the scheduler that leads', 'the scheduler is dead'],
    ['restart-scheduler', 'start what schedulers do not run, or the leading one anew', 'the scheduler runs'],
  ] as const;
  for (const [name, description, done] of simple)
    dev
      .command(name)
      .description(description)
      .action((_options, command: Command) => control(command, `/v1/${name}`, done));
}

async function control(
  command: Command,
  path: string,
  done: string,
  body: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { name, json } = command.optsWithGlobals<DevOptions>();
  const answer = await (await ControlClient.of(name)).post(path, body);
  print(json, answer, () => done);
}

async function clean(options: DevOptions & { readonly all: boolean }): Promise<void> {
  const log = createLogger('dev', 'warn');
  if (!options.all) {
    const found = await cleanCluster(options.name, log);
    remark(found ? `removed what ${options.name} had left` : `nothing is left of ${options.name}`);
    return;
  }
  const names = await cleanDeadClusters(log);
  remark(names.length === 0 ? 'nothing is left of any cluster' : `removed what ${names.join(', ')} had left`);
}

async function start(options: DevOptions): Promise<void> {
  const { name, hosts, api, masterListen, controlListen, scheduler, schedulers, logLevel, stateDir } =
    options;
  const cluster = { name, hosts, api, masterListen, controlListen, scheduler, schedulers, logLevel };
  await runInForeground(
    { ...cluster, ...(stateDir === undefined ? {} : { stateDir }) },
    { log: createLogger('dev', 'warn'), dockerHost: process.env['DOCKER_HOST'], progress: remark },
    (running, stopped) => {
      process.stdout.write(`${welcome(running)}\n`);
      return stopped;
    },
  );
}

function welcome(cluster: DevCluster): string {
  const { name } = cluster.config;
  const apiUrl = cluster.scheduler?.apiUrl;
  const program = 'node dist/patchpanel.js';
  const app = apiUrl === 'http://127.0.0.1:8080' ? program : `${program} --url ${apiUrl}`;
  const dev = name === 'pp' ? `${program} dev` : `${program} dev --name ${name}`;
  const places = [
    ...cluster.schedulers.members.map((each) => ['API', `${each.apiUrl}/v2/apps`] as const),
    ...(cluster.zookeeper === undefined ? [] : [['ZooKeeper', cluster.zookeeper.address] as const]),
    ['Mesos', cluster.mesos.url] as const,
    ['Controls', `${cluster.controlUrl}/v1/status`] as const,
    ['Logs', cluster.substrate.directories.logs] as const,
  ];
  const tries = [
    ...(apiUrl === undefined
      ? []
      : [`${app} app add -f deploy/examples/web.json --wait`, `${app} task list`]),
    `${dev} status`,
    `${dev} cut h1      # and heal h1 later`,
    ...(cluster.zookeeper === undefined ? [] : [`${dev} kill-scheduler      # and restart-scheduler later`]),
  ];
  return [
    '',
    ...places.map(([what, where]) => `${bold(what)}${' '.repeat(10 - what.length)}${where}`),
    '',
    'Try in another terminal:',
    ...tries.map((line) => `  ${line}`),
    'Ctrl-C ends the cluster and removes it.',
  ].join('\n');
}

function statusText(status: DevClusterStatus): string {
  const rows = status.hosts.map((host) => [
    host.name,
    host.power,
    host.agent,
    host.executorPids.join(' ') || 'none',
    host.switch,
    host.management,
    host.underlay,
    host.managementIp,
    host.underlayIp,
  ]);
  const headers = [
    'HOST',
    'POWER',
    'AGENT',
    'EXECUTOR',
    'SWITCH',
    'MANAGEMENT',
    'UNDERLAY',
    'ADDRESS',
    'TUNNEL',
  ];
  return [
    `cluster ${status.name}: scheduler ${status.scheduler} ${status.apiUrl ?? ''}`.trimEnd(),
    `Mesos ${status.masterUrl}, Docker ${status.dockerHost}`,
    table(headers, rows, 'no hosts'),
  ].join('\n');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('must be a whole number above 0');
  return value;
}
