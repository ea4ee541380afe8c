import { access, constants, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '../../src/runtime/errors.ts';
import { run } from '../../src/runtime/process.ts';
import type { ExecutorConfig } from '../config.ts';
import { searchPath } from '../core/search-path.ts';
import { neededPrograms, type Found, type HostFindings } from '../core/host-check.ts';
import { discoverUnderlayIp } from '../tasks/host-identity.ts';
import { connectDocker } from './docker/connection.ts';
import { DockerContainers } from './docker/docker-containers.ts';

/** Looks at this machine with an executor's settings. Changes nothing but that the state directory is made. */
export async function findHost(config: ExecutorConfig): Promise<HostFindings> {
  const [docker, openVswitch, hasKernelDatapath, programs, underlay, stateDirProblem] = await Promise.all([
    found(() => dockerOf(config)),
    found(() => openVswitchOf(config)),
    exists('/sys/module/openvswitch'),
    presentPrograms(),
    found(() => underlayOf(config)),
    problemWith(config.stateDir),
  ]);
  const isRoot = process.getuid?.() === 0;
  return { isRoot, docker, openVswitch, hasKernelDatapath, programs, underlay, stateDirProblem };
}

async function found<T>(look: () => Promise<T>): Promise<Found<T>> {
  try {
    return { value: await look() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

async function dockerOf({ dockerHost }: ExecutorConfig) {
  // No container is listed: the host's key is of no use here.
  const containers = new DockerContainers(connectDocker(dockerHost), '');
  const [version, cgroups] = await Promise.all([containers.version(), containers.cgroups()]);
  return { version, cgroupDriver: cgroups.driver, cgroupVersion: cgroups.version };
}

async function openVswitchOf({ ovsRunDir }: ExecutorConfig) {
  const database = `--db=unix:${path.join(ovsRunDir, 'db.sock')}`;
  const columns = ['ovs_version', 'datapath_types'];
  const text = await run('ovs-vsctl', ['--timeout=5', database, 'get', 'Open_vSwitch', '.', ...columns]);
  const [version = '', datapaths = ''] = text.split('\n');
  return {
    version: version.replaceAll('"', ''),
    datapaths: datapaths
      .replaceAll(/[[\]"]/g, '')
      .split(',')
      .map((name) => name.trim()),
  };
}

async function presentPrograms(): Promise<ReadonlySet<string>> {
  // As an executor looks for them.
  const folders = searchPath(process.env['PATH']).split(':');
  const present = await Promise.all(
    neededPrograms.map(async (name) => {
      const places = await Promise.all(
        folders.map((folder) => exists(path.join(folder, name), constants.X_OK)),
      );
      return places.includes(true) ? [name] : [];
    }),
  );
  return new Set(present.flat());
}

async function underlayOf({ underlayIp }: ExecutorConfig) {
  // A machine that is no agent yet has no agent's address to go by.
  const ip = underlayIp ?? (await discoverUnderlayIp('127.0.0.1'));
  const links = JSON.parse(await run('ip', ['-json', '-4', 'address', 'show', 'to', `${ip}/32`])) as {
    ifname?: string;
    mtu?: number;
  }[];
  const link = links.find(({ ifname }) => ifname !== undefined);
  if (link?.ifname === undefined || link.mtu === undefined) {
    throw new Error(`no device of this machine has the address ${ip}`);
  }
  return { ip, device: link.ifname, mtu: link.mtu };
}

async function problemWith(directory: string): Promise<string | undefined> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function exists(file: string, mode = constants.F_OK): Promise<boolean> {
  try {
    await access(file, mode);
    return true;
  } catch {
    return false;
  }
}
