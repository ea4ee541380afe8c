import type { AppNetwork } from '../../../src/model/app.ts';
import type { AppJson } from '../v2/app-json.ts';
import { fetchSource } from '../../../src/model/fetch.ts';
import type { Details } from '../problems.ts';

/** What an operator may forbid all apps, because it reaches the host past the container. */
export const forbiddable = [
  'privileged',
  'host-volumes',
  'host-files',
  'host-network',
  'docker-parameters',
] as const;

export type Forbiddable = (typeof forbiddable)[number];

/** Adds an error for each field that asks for something forbidden. */
export function checkPolicy(
  json: AppJson,
  network: AppNetwork,
  forbidden: readonly Forbiddable[],
  details: Details,
): void {
  const docker = json.container?.docker;
  const asks: Readonly<Record<Forbiddable, string | undefined>> = {
    privileged: docker?.privileged === true ? '/container/docker/privileged' : undefined,
    'host-volumes': (json.container?.volumes ?? []).some(({ hostPath }) => hostPath !== undefined)
      ? '/container/volumes'
      : undefined,
    'host-files': fetchesHostFile(json) ? '/fetch' : undefined,
    'host-network': network.mode === 'host' ? '/networks' : undefined,
    'docker-parameters': (docker?.parameters ?? []).length > 0 ? '/container/docker/parameters' : undefined,
  };
  for (const feature of forbidden) {
    const path = asks[feature];
    if (path !== undefined)
      details.add(path, `${feature} is forbidden on this cluster (--forbid ${feature})`);
  }
}

const fetchesHostFile = ({ fetch = [], uris = [] }: AppJson): boolean =>
  [...fetch.map(({ uri }) => uri), ...uris].some((uri) => fetchSource(uri).kind === 'file');
