export interface CgroupFacts {
  /** Contents of /proc/self/cgroup. */
  readonly own: string;
  /** The last part of the executor's sandbox directory, which is its container's id with Mesos. */
  readonly containerId: string;
  /** What Docker says of itself. */
  readonly driver: string;
  readonly version: string;
}

/**
 * The cgroup for the containers of tasks: the one that the agent made for this executor, so that they are counted and
 * killed with it. undefined where that cannot work: the agent made none; Docker manages cgroups through systemd, which
 * takes slices only; or with version 2, where a group with processes of its own can have no limited children.
 */
export function ownCgroup(facts: CgroupFacts): string | undefined {
  if (facts.driver !== 'cgroupfs' || facts.version !== '1' || facts.containerId === '') return undefined;
  const paths = new Map(facts.own.split('\n').flatMap(readLine));
  const path = paths.get('memory') ?? paths.get('cpu');
  return path?.endsWith(`/${facts.containerId}`) === true ? path : undefined;
}

/** `4:cpu,cpuacct:/mesos/abc` → [cpu, /mesos/abc], [cpuacct, /mesos/abc] */
function readLine(line: string): [string, string][] {
  const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
  return controllers.split(',').map((controller) => [controller, path]);
}
