/** Where the programs of a host are; those that we need are partly in the directories of the administrator. */
const usual = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * PATH with the usual directories behind those that it has. An agent's `--executor_environment_variables` replace its
 * whole environment, often by less.
 */
export function searchPath(given: string | undefined): string {
  const own = (given ?? '').split(':').filter((directory) => directory !== '');
  return [...own, ...usual.filter((directory) => !own.includes(directory))].join(':');
}
