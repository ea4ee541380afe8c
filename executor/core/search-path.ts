import { systemPath } from '../../src/runtime/system-path.ts';

const usual = systemPath.split(':');

/**
 * PATH with the usual directories behind those that it has. An agent's `--executor_environment_variables` replace its
 * whole environment, often by less.
 */
export function searchPath(given: string | undefined): string {
  const own = (given ?? '').split(':').filter((directory) => directory !== '');
  return [...own, ...usual.filter((directory) => !own.includes(directory))].join(':');
}
