import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ExecutorEnvironment } from '../src/mesos/executor-environment.ts';
import { endpointKey, type EndpointKey } from '../src/fabric/view.ts';
import { systemClock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Scope } from '../src/runtime/scope.ts';
import { connectDocker } from './adapters/docker/connection.ts';
import { DockerContainers } from './adapters/docker/docker-containers.ts';
import { HostFiles } from './adapters/files/host-files.ts';
import { pauseImage } from './adapters/docker/pause-image.ts';
import type { NameServerPlace } from './adapters/dnsmasq/name-server.ts';
import { programBeside } from './adapters/program.ts';
import type { StepTools } from './apply.ts';
import type { ExecutorConfig } from './config.ts';
import { cgroupExits } from './core/tasks/cgroup-escape.ts';
import type { ContainerSurroundings } from './core/tasks/container-spec.ts';
import { ownCgroup } from './core/tasks/cgroup.ts';
import type { ListedContainer } from './core/tasks/containers.ts';
import { HostProber } from './adapters/probes/host-prober.ts';
import type { Prober } from './core/tasks/probing.ts';
import { Switch } from './fabric/switch.ts';
import type { SwitchConfig } from './fabric/switch-config.ts';
import { ContainerGarbage } from './tasks/container-garbage.ts';
import { ExecutorLives } from './tasks/executor-lives.ts';
import { discoverUnderlayIp, readHostKey } from './tasks/host-identity.ts';
import { lockHost } from './tasks/host-lock.ts';
import { startUndertaker } from './tasks/undertaker.ts';
import { UnderlayWatch } from './tasks/underlay-watch.ts';

/** How long an earlier executor of this host may take to end, in milliseconds. */
const lockTimeoutMs = 60_000;
/** How long the removal of a task's container waits for the rest of its output. */
const drainTimeoutMs = 5000;

export interface HostOptions {
  readonly config: ExecutorConfig;
  readonly environment: ExecutorEnvironment;
  /** The agent's name for this host. */
  readonly hostname: string;
  readonly log: Logger;
  readonly scope: Scope;
  /** Fires when the host is not wanted any more. */
  readonly signal: AbortSignal;
  readonly onPortLost: (endpoint: EndpointKey, reason: string) => void;
  /** A newer executor of this host wants it; handOver() is the answer. */
  readonly onSuccessor: () => void;
}

/** A host that is ready for tasks: ours alone, clean, Docker and switch at hand. */
export interface Host {
  readonly tools: StepTools;
  readonly fabric: Switch;
  readonly prober: Prober;
  readonly lives: ExecutorLives;
  /** Leaves switch and garbage to the executor that wants them. What is attached goes on. */
  handOver(): Promise<void>;
}

/**
 * Takes possession of the host: the lock, then Docker and the switch. Everything of earlier executors is removed, except
 * what belongs to one that lives. What is opened belongs to `scope`.
 * @throws PatchpanelError that says what is missing
 */
export async function prepareHost(options: HostOptions): Promise<Host> {
  const { config, scope, log } = options;
  const lives = await ExecutorLives.begin(config.stateDir, options.environment.executorId);
  scope.defer('life of this executor', () => lives.end());
  const place = await placeApart(options);
  await startUndertaker({
    ...place,
    lifeFile: lives.file,
    runId: lives.runId,
    stateDir: config.stateDir,
    dockerHost: config.dockerHost,
    sandbox: options.environment.sandbox,
    seconds: config.orphanSeconds,
  });
  const lock = await lockHost({
    stateDir: config.stateDir,
    timeoutMs: lockTimeoutMs,
    signal: options.signal,
    onWanted: options.onSuccessor,
  });
  scope.defer('host lock', () => lock.release());
  const { others, dead } = await lives.look();
  const hostKey = await readHostKey(config.stateDir);
  const containers = new DockerContainers(connectDocker(config.dockerHost), hostKey);
  const dockerVersion = await containers.version();
  // Before anything that may fail: Mesos offers again what the dead had.
  await removeContainers(options, containers, lives, dead);
  const underlayIp = config.underlayIp ?? (await discoverUnderlay(options));
  const fabric = createSwitch(options, containers, {
    hostKey,
    runId: lives.runId,
    dockerVersion,
    underlayIp,
    names: { ...place, directory: path.join(config.runDir, hostKey), resolvers: config.resolvConf },
  });
  const cgroupParent = await findCgroup(options, containers);
  await Promise.all([containers.ensurePauseImage(os.arch()), fabric.start()]);
  scope.defer('switch', () => fabric.stop());
  if (config.underlayIp === undefined) watchUnderlay(options, fabric, underlayIp);
  const removed = await fabric.cleanUp((id) => lives.isOther(id));
  if (others.length > 0) await knowSandboxes(containers, fabric);
  log.info('host is ready', { hostKey, dockerVersion, cgroupParent, others, leftEndpoints: removed.length });
  const files = createFiles(options, hostKey, lives.runId);
  await files.removeLeftovers((id) => lives.isOther(id));
  const prober = new HostProber({ containers, node: process.execPath, program: programBeside('probe.cjs') });
  const handOver = async (): Promise<void> => {
    await fabric.handOver();
    await lock.release();
  };
  const surroundings = {
    hostKey,
    agentId: options.environment.agentId,
    runId: lives.runId,
    ipv6: existsSync('/proc/sys/net/ipv6/conf/all'),
    ...(cgroupParent === undefined ? {} : { cgroupParent }),
  };
  const tools = toolsOf(config, { containers, fabric, files }, surroundings);
  return { fabric, prober, tools, lives, handOver };
}

/**
 * Removes the containers that earlier executors left. What Docker cannot remove is for the rounds, and for the undertaker
 * of its executor, whose file stays.
 */
async function removeContainers(
  { config, log }: HostOptions,
  containers: DockerContainers,
  lives: ExecutorLives,
  dead: readonly string[],
): Promise<void> {
  const isOthers = ({ runId }: ListedContainer) => lives.isOther(runId);
  const stuck = await new ContainerGarbage(containers, isOthers, systemClock, log).removeLeftovers();
  const stuckRuns = new Set(stuck.map(({ runId }) => runId));
  for (const id of dead) if (!stuckRuns.has(id)) await ExecutorLives.forget(config.stateDir, id);
}

/** Where connections to endpoints of other executors can be counted. */
async function knowSandboxes(containers: DockerContainers, fabric: Switch): Promise<void> {
  const sandboxes = (await containers.list()).filter(({ role, running }) => role === 'sandbox' && running);
  for (const { name, endpoint } of sandboxes) {
    const facts = await containers.inspect(name);
    if (facts?.running === true) fabric.knowSandbox(endpoint, facts.pid);
  }
}

/**
 * An endpoint of another executor lost its port. Mostly its sandbox has just been removed; if not, its task has no
 * network any more, and the end of the sandbox tells the other executor so.
 */
async function endSandbox(containers: DockerContainers, endpoint: EndpointKey): Promise<void> {
  const key = endpointKey(endpoint);
  const sandboxes = (await containers.list()).filter(
    (container) => container.role === 'sandbox' && endpointKey(container.endpoint) === key,
  );
  for (const { name } of sandboxes) await containers.signal(name, 'SIGKILL');
}

const discoverUnderlay = ({ environment }: HostOptions): Promise<string> =>
  discoverUnderlayIp(new URL(environment.agentUrl).hostname);

/** An address that was discovered may change; one that somebody has set is his. */
function watchUnderlay(options: HostOptions, fabric: Switch, first: string): void {
  const watch = new UnderlayWatch({
    first,
    discover: () => discoverUnderlay(options),
    onMoved: (ip) => fabric.moveUnderlay(ip),
    clock: systemClock,
    log: options.log,
  });
  watch.start();
  options.scope.defer('watch of the underlay address', () => watch.stop());
}

function createFiles({ config, environment, log }: HostOptions, hostKey: string, runId: string): HostFiles {
  return new HostFiles({
    directory: environment.sandbox,
    secretsDirectory: path.join(config.runDir, hostKey, 'secrets'),
    runId,
    cacheDirectory: path.join(config.stateDir, 'fetch-cache'),
    cacheBytes: config.fetchCacheBytes,
    maxBytes: config.fetchMaxBytes,
    dockerConfig: config.dockerConfig,
    log,
  });
}

function createSwitch(
  options: HostOptions,
  containers: DockerContainers,
  found: Pick<SwitchConfig, 'hostKey' | 'runId' | 'dockerVersion' | 'underlayIp' | 'names'>,
): Switch {
  const { config, environment, hostname, log, onPortLost } = options;
  return new Switch(
    {
      agentId: environment.agentId,
      executorId: environment.executorId,
      frameworkId: environment.frameworkId,
      hostname,
      ovsRunDir: config.ovsRunDir,
      stateDir: config.stateDir,
      bridge: config.bridge,
      datapath: config.datapath,
      ...found,
      selfTestProgram: programBeside('selftest.cjs'),
      ...(config.schedulerUrl === undefined ? {} : { schedulerUrl: config.schedulerUrl }),
    },
    {
      clock: systemClock,
      log: log.child({ part: 'switch' }),
      random: Math.random,
      onPortLost,
      onInheritedLost: (endpoint) =>
        void endSandbox(containers, endpoint).catch((error: unknown) =>
          log.warn('a sandbox without a port could not be ended', { endpoint, error }),
        ),
    },
  );
}

/** What goes on when this executor ends must not stay where the agent would end it, too. */
async function placeApart({
  environment,
}: HostOptions): Promise<Pick<NameServerPlace, 'cgroupExits' | 'environment'>> {
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  return {
    cgroupExits: cgroupExits(own, path.basename(environment.sandbox)),
    environment: process.env,
  };
}

function toolsOf(
  config: ExecutorConfig,
  ports: Pick<StepTools, 'containers' | 'fabric' | 'files'>,
  surroundings: ContainerSurroundings,
): StepTools {
  return {
    ...ports,
    surroundings,
    sandboxImage: pauseImage.name,
    convergeTimeoutMs: config.convergeTimeoutMs,
    drainTimeoutMs,
  };
}

async function findCgroup(
  { config, environment }: HostOptions,
  containers: DockerContainers,
): Promise<string | undefined> {
  if (config.cgroupParent === 'none') return undefined;
  if (config.cgroupParent !== 'auto') return config.cgroupParent;
  const { driver, version } = await containers.cgroups();
  const own = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  return ownCgroup({ own, containerId: path.basename(environment.sandbox), driver, version });
}
