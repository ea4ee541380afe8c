/**
 * The files of the kernel into which a process writes its number to leave the cgroups that an agent made for the
 * executor's container: the agent kills whatever is in them when the executor ends. Empty where it made none.
 * @param own contents of /proc/self/cgroup
 * @param containerId the last part of the executor's sandbox directory, which is its container's id with Mesos
 */
export function cgroupExits(own: string, containerId: string): readonly string[] {
  if (containerId === '') return [];
  return own.split('\n').flatMap((line) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (!path.split('/').includes(containerId)) return [];
    const hierarchy = controllers.replace(/^name=/, '');
    return [['/sys/fs/cgroup', hierarchy, 'cgroup.procs'].filter((part) => part !== '').join('/')];
  });
}
