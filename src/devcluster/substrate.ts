import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { PatchpanelError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { tryRun } from '../runtime/process.ts';
import { cleanCluster, removeAll } from './cleanup.ts';
import { provideEngine } from './docker.ts';
import type { DockerEngine } from './engine-client.ts';
import { Guard } from './guard.ts';
import { DevHost } from './host.ts';
import { ensureImages } from './images.ts';
import { Ledger, runDirectoryOf } from './ledger.ts';
import { netnsNames } from './links.ts';
import type { DevClusterConfig } from './options.ts';
import type { ClusterPlan } from './plan.ts';
import { claimSubnet, makeNetworks, shieldSubnets } from './underlay.ts';

export interface SubstrateSurroundings {
  readonly log: Logger;
  /** The caller's DOCKER_HOST. */
  readonly dockerHost: string | undefined;
  /** One line for people when a step is done. */
  readonly progress: (line: string) => void;
  /** Program that cleans up after this process if it is killed; undefined: nobody does before the next start. */
  readonly guardProgram?: string | undefined;
  /** Gives a start up; what was made is removed. */
  readonly signal?: AbortSignal;
}

/** Folders of a cluster; all but the logs go with it. */
export interface ClusterDirectories {
  readonly logs: string;
  readonly hosts: string;
  readonly scheduler: string;
  readonly docker: string;
  readonly run: string;
}

const neededPrograms = [
  'ip',
  'nft',
  'ovsdb-server',
  'ovs-vswitchd',
  'ovs-vsctl',
  'ovs-appctl',
  'dnsmasq',
  'busybox',
];

/**
 * What the programs of a cluster stand on: hosts with switches, their cables, a Docker Engine with images.
 * INVARIANT: whatever exists is in the ledger, so close() and a later clean-up remove the same things.
 */
export class Substrate {
  readonly plan: ClusterPlan;
  readonly engine: DockerEngine;
  readonly hosts: readonly DevHost[];
  readonly directories: ClusterDirectories;
  readonly ledger: Ledger;
  readonly #guard: Guard | undefined;
  readonly #log: Logger;

  private constructor(parts: SubstrateParts, guard: Guard | undefined, log: Logger) {
    this.plan = parts.plan;
    this.engine = parts.engine;
    this.hosts = parts.hosts;
    this.directories = parts.directories;
    this.ledger = parts.ledger;
    this.#guard = guard;
    this.#log = log;
  }

  /**
   * Removes what an earlier run of that name has left and builds everything anew.
   * @throws PatchpanelError `denied` without root, `not-found` when a program is missing, `conflict` when a cluster of
   *   that name runs, `aborted` by the signal, `external` when the system refuses; nothing is left behind then
   */
  static async build(config: DevClusterConfig, surroundings: SubstrateSurroundings): Promise<Substrate> {
    await requireMachine();
    if (await cleanCluster(config.name, surroundings.log))
      surroundings.progress(`removed what an earlier run of ${config.name} had left`);
    await requireFreeName(config.name);
    const ledger = await Ledger.create(config.name, config.stateDir);
    let guard: Guard | undefined;
    try {
      const directories = await makeDirectories(config.stateDir, ledger);
      guard = await startGuard(config.name, directories, surroundings);
      const parts = await buildParts(config, ledger, directories, surroundings);
      return new Substrate(parts, guard, surroundings.log);
    } catch (error) {
      await removeAfterFailure(ledger, guard, surroundings.log);
      throw error;
    }
  }

  /**
   * Ends the switches, then removes everything in the ledger.
   * @throws PatchpanelError `external` that names what could not be removed
   */
  async close(): Promise<void> {
    await Promise.allSettled(this.hosts.map((host) => host.close()));
    await removeAll(this.ledger, this.#log);
    await this.#guard?.end();
  }

  /** close() when something else has failed already: what is left goes to the log. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.hosts.map((host) => host.close()));
    await removeAfterFailure(this.ledger, this.#guard, this.#log);
  }
}

/** The caller hears why the start failed; that something is left as well goes to the log, and the guard tries again. */
async function removeAfterFailure(ledger: Ledger, guard: Guard | undefined, log: Logger): Promise<void> {
  try {
    await removeAll(ledger, log);
    await guard?.end();
  } catch (error) {
    log.error('something is left of the dev cluster', { error });
  }
}

async function startGuard(
  name: string,
  directories: ClusterDirectories,
  { guardProgram }: SubstrateSurroundings,
): Promise<Guard | undefined> {
  return guardProgram === undefined ? undefined : Guard.start(guardProgram, name, directories.logs);
}

interface SubstrateParts {
  readonly plan: ClusterPlan;
  readonly engine: DockerEngine;
  readonly hosts: readonly DevHost[];
  readonly directories: ClusterDirectories;
  readonly ledger: Ledger;
}

async function buildParts(
  config: DevClusterConfig,
  ledger: Ledger,
  directories: ClusterDirectories,
  surroundings: SubstrateSurroundings,
): Promise<SubstrateParts> {
  const plan = await claimSubnet(ledger, config.hosts);
  await shieldSubnets(ledger, plan, config.subnets);
  await makeNetworks(ledger, plan);
  await ledger.add({ kind: 'processes', cluster: config.name, graceMs: 3_000 });
  const hosts = plan.hosts.map((host) => new DevHost(plan, host, directories));
  const [engine] = await bothOrNone(
    prepareEngine(ledger, directories, surroundings),
    createHosts(hosts, ledger, surroundings),
  );
  return { plan, engine, hosts, directories, ledger };
}

/** Runs both at once and waits for both even when one fails: nothing may be made behind the clean-up's back. */
async function bothOrNone<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}

async function prepareEngine(
  ledger: Ledger,
  directories: ClusterDirectories,
  surroundings: SubstrateSurroundings,
): Promise<DockerEngine> {
  const { dockerHost, progress, signal } = surroundings;
  const engine = await provideEngine({
    ledger,
    directory: directories.docker,
    logDir: directories.logs,
    dockerHost,
  });
  progress(
    engine.own ? 'started a Docker Engine of our own' : `using the Docker Engine at ${engine.dockerHost}`,
  );
  signal?.throwIfAborted();
  await ensureImages(engine.client);
  progress('images patchpanel/busybox:1 and patchpanel/demo:1 are there');
  return engine;
}

async function createHosts(
  hosts: readonly DevHost[],
  ledger: Ledger,
  { progress, signal }: SubstrateSurroundings,
): Promise<void> {
  for (const host of hosts) {
    signal?.throwIfAborted();
    await host.create(ledger);
    const { name, netns, managementIp, underlayIp } = host.plan;
    progress(`host ${name}: namespace ${netns}, management ${managementIp}, underlay ${underlayIp}`);
  }
}

async function makeDirectories(stateDir: string, ledger: Ledger): Promise<ClusterDirectories> {
  const directories = {
    logs: path.join(stateDir, 'logs'),
    hosts: path.join(stateDir, 'hosts'),
    scheduler: path.join(stateDir, 'scheduler'),
    docker: path.join(stateDir, 'docker'),
    run: runDirectoryOf(ledger.content.name),
  };
  for (const each of [directories.hosts, directories.scheduler, directories.docker, directories.run])
    await ledger.add({ kind: 'directory', path: each });
  for (const each of Object.values(directories)) {
    await rm(each, { recursive: true, force: true });
    await mkdir(each, { recursive: true });
  }
  return directories;
}

async function requireMachine(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new PatchpanelError('denied', 'the dev cluster needs root: network namespaces and switches');
  for (const program of neededPrograms) {
    const found = await tryRun('which', [program]);
    if (found.exitCode !== 0)
      throw new PatchpanelError('not-found', `the program ${program} is missing: run deploy/setup.sh`);
  }
}

/** Namespaces of that name without a ledger are not ours to remove. */
async function requireFreeName(name: string): Promise<void> {
  const taken = (await netnsNames()).find((each) => each === `${name}-net` || each.startsWith(`${name}-h`));
  if (taken !== undefined)
    throw new PatchpanelError(
      'conflict',
      `there is a network namespace ${taken} that no dev cluster lists: choose another --name, or remove it with ip netns delete ${taken}`,
    );
}
