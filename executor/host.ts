import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ExecutorEnvironment } from '../src/mesos/executor-environment.ts';
import type { EndpointKey } from '../src/fabric/view.ts';
import { systemClock } from '../src/runtime/clock.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { Scope } from '../src/runtime/scope.ts';
import { connectDocker } from './adapters/docker/connection.ts';
import { DockerContainers } from './adapters/docker/docker-containers.ts';
import { pauseImage } from './adapters/docker/pause-image.ts';
import type { StepTools } from './apply.ts';
import type { ExecutorConfig } from './config.ts';
import { ownCgroup } from './core/task-cgroup.ts';
import { HostProber } from './adapters/probes/host-prober.ts';
import type { Prober } from './core/probing.ts';
import { Switch } from './fabric/switch.ts';
import { ContainerGarbage } from './tasks/container-garbage.ts';
import { discoverUnderlayIp, readHostKey } from './tasks/host-identity.ts';
import { lockHost } from './tasks/host-lock.ts';

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
}

/** A host that is ready for tasks: ours alone, clean, Docker and switch at hand. */
export interface Host {
  readonly tools: StepTools;
  readonly fabric: Switch;
  readonly prober: Prober;
}

/**
 * Takes possession of the host: the lock, then Docker and the switch, then everything of an earlier executor is
 * removed. What is opened belongs to `scope`.
 * @throws PatchpanelError that says what is missing
 */
export async function prepareHost(options: HostOptions): Promise<Host> {
  const { config, scope, log } = options;
  const lock = await lockHost(config.stateDir, lockTimeoutMs, options.signal);
  scope.defer('host lock', () => lock.release());
  const hostKey = await readHostKey(config.stateDir);
  const containers = new DockerContainers(connectDocker(config.dockerHost), hostKey);
  const dockerVersion = await containers.version();
  const fabric = await createSwitch(options, hostKey, dockerVersion);
  const cgroupParent = await findCgroup(options, containers);
  await Promise.all([containers.ensurePauseImage(os.arch()), fabric.start()]);
  scope.defer('switch', () => fabric.stop());
  await new ContainerGarbage(containers, () => false, systemClock, log).removeLeftovers();
  const removed = await fabric.cleanUp();
  log.info('host is ready', { hostKey, dockerVersion, cgroupParent, leftEndpoints: removed.length });
  const prober = new HostProber({ containers, node: process.execPath, program: probeProgram() });
  return { fabric, prober, tools: toolsOf(options, containers, fabric, hostKey, cgroupParent) };
}

/** It comes in the same tarball as the executor. */
const probeProgram = (): string => path.join(path.dirname(process.argv[1] ?? ''), 'probe.cjs');

async function createSwitch(options: HostOptions, hostKey: string, dockerVersion: string): Promise<Switch> {
  const { config, environment, hostname, log, onPortLost } = options;
  const agentAddress = new URL(environment.agentUrl).hostname;
  const underlayIp = config.underlayIp ?? (await discoverUnderlayIp(agentAddress));
  return new Switch(
    {
      agentId: environment.agentId,
      executorId: environment.executorId,
      frameworkId: environment.frameworkId,
      hostname,
      hostKey,
      ovsRunDir: config.ovsRunDir,
      stateDir: config.stateDir,
      bridge: config.bridge,
      underlayIp,
      datapath: config.datapath,
      dockerVersion,
      ...(config.schedulerUrl === undefined ? {} : { schedulerUrl: config.schedulerUrl }),
    },
    { clock: systemClock, log: log.child({ part: 'switch' }), random: Math.random, onPortLost },
  );
}

function toolsOf(
  { config, environment }: HostOptions,
  containers: DockerContainers,
  fabric: Switch,
  hostKey: string,
  cgroupParent: string | undefined,
): StepTools {
  return {
    containers,
    fabric,
    surroundings: {
      hostKey,
      agentId: environment.agentId,
      ...(cgroupParent === undefined ? {} : { cgroupParent }),
    },
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
