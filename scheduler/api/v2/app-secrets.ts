import type { App, SecretReference, Volume } from '../../../src/model/app.ts';
import type { Details } from '../problems.ts';
import type { AppJson } from './app-json.ts';
import type { NormaliseDefaults } from './normalise-defaults.ts';

/** What of an app names secrets. */
export interface Secretive {
  readonly secrets: NonNullable<App['secrets']>;
  readonly volumes: readonly Volume[];
  readonly pullConfig: SecretReference | undefined;
}

/** Secrets and what uses them (volumes, the registry's credentials, the environment); problems are added by path. */
export function secretsOf(json: AppJson, defaults: NormaliseDefaults, details: Details): Secretive {
  const secrets = json.secrets ?? {};
  for (const [name, { source }] of Object.entries(secrets)) {
    details.require(name !== '', '/secrets', 'a secret must have a name');
    const problem = defaults.secretProblem(source);
    if (problem !== undefined) details.add(`/secrets/${name}/source`, problem);
  }
  const check = ({ secret }: SecretReference, path: string) =>
    details.require(Object.hasOwn(secrets, secret), path, `references an undefined secret "${secret}"`);
  for (const [name, value] of Object.entries(json.env ?? {})) {
    if (typeof value !== 'string') check(value, `/env/${name}`);
  }
  const pullConfig = json.container?.docker?.pullConfig;
  if (pullConfig !== undefined) check(pullConfig, '/container/docker/pullConfig');
  const volumes = (json.container?.volumes ?? []).flatMap((volume, index): Volume[] =>
    volumeOf(volume, `/container/volumes(${index})`, check, details),
  );
  return { secrets, volumes, pullConfig };
}

type VolumeJson = NonNullable<NonNullable<AppJson['container']>['volumes']>[number];

function volumeOf(
  { containerPath = '', hostPath, mode, secret }: VolumeJson,
  path: string,
  check: (reference: SecretReference, path: string) => void,
  details: Details,
): Volume[] {
  if (secret !== undefined) {
    check({ secret }, `${path}/secret`);
    details.require(
      containerPath !== '' && !containerPath.endsWith('/') && !/(^|\/)\.\.(\/|$)|:/.test(containerPath),
      `${path}/containerPath`,
      'must be the path of a file, absolute or in the sandbox',
    );
    return [{ containerPath, secret }];
  }
  details.require(containerPath.startsWith('/'), `${path}/containerPath`, 'must be an absolute path');
  details.require(hostPath?.startsWith('/') === true, `${path}/hostPath`, 'must be an absolute path');
  details.require(
    !containerPath.includes(':') && hostPath?.includes(':') !== true,
    path,
    'paths must not contain ":", which Docker separates them by',
  );
  return [{ containerPath, hostPath: hostPath ?? '', mode: mode ?? 'RW' }];
}
