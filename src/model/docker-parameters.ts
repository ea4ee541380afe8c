import {
  guardedParameters,
  parameterParsers,
  refusedParameters,
  type DockerOptionsDraft,
} from './docker-parameter-parsers.ts';

/** Raw docker options of an app as Docker's API has them; field names are Docker's own. */
export type DockerOptions = DeepReadonly<DockerOptionsDraft>;

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** Why one parameter is refused. */
export interface DockerParameterProblem {
  /** Its place in the list, from 0. */
  readonly index: number;
  readonly key: string;
  readonly message: string;
}

export interface ParsedDockerParameters {
  readonly options: DockerOptions;
  /** Empty when every parameter is understood. */
  readonly problems: readonly DockerParameterProblem[];
}

/** The keys that an app may use, sorted, for messages and documentation. */
export const allowedDockerParameters: readonly string[] = [...parameterParsers.keys()].sort();

/** The keys that an app may use only where the operator allows them, since they reach the host past the container. */
export const guardedDockerParameters: readonly string[] = [...guardedParameters.keys()].sort();

/**
 * Reads `container.docker.parameters` of an app: each is a long option of `docker run` without its dashes, from the
 * allow-list, or from those that an operator may allow besides. Options that Patchpanel sets itself are refused with a hint. Scheduler and executor use this one
 * function, so what the API accepts is what an executor can run.
 */
export function parseDockerParameters(
  parameters: readonly { readonly key: string; readonly value: string }[],
  besides: ReadonlySet<string> | 'all',
): ParsedDockerParameters {
  const options: DockerOptionsDraft = { config: {}, hostConfig: {}, sandbox: {} };
  const problems: DockerParameterProblem[] = [];
  for (const [index, { key, value }] of parameters.entries()) {
    const message = apply(key, value, options, besides);
    if (message !== undefined) problems.push({ index, key, message });
  }
  return { options, problems };
}

/** Adds one parameter to the draft; gives the reason when it cannot. */
function apply(
  key: string,
  value: string,
  draft: DockerOptionsDraft,
  besides: ReadonlySet<string> | 'all',
): string | undefined {
  const guarded = guardedParameters.get(key);
  const allowed = besides === 'all' || besides.has(key);
  if (guarded !== undefined && !allowed) {
    return `docker parameter "${key}" is not allowed on this cluster (--allow-docker-parameter ${key})`;
  }
  const parser = guarded ?? parameterParsers.get(key);
  if (parser !== undefined) {
    const problem = parser(value, draft);
    return problem === undefined ? undefined : `docker parameter "${key}": ${problem}`;
  }
  const hint = refusedParameters.get(key);
  if (hint !== undefined) return `docker parameter "${key}" is not allowed: ${hint}`;
  return `docker parameter "${key}" is not allowed; allowed are ${allowedDockerParameters.join(', ')}`;
}
