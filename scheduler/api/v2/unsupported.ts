import type { Details } from '../problems.ts';
import type { AppJson } from './app-json.ts';

/** A field that could not be honoured is refused with its reason, never silently ignored. */
export function checkUnsupported(json: AppJson, details: Details): void {
  const refuse = (given: boolean, path: string, reason: string) => details.require(!given, path, reason);
  const { docker, volumes } = json.container ?? {};
  refuse(
    json.container?.type === 'MESOS',
    '/container/type',
    'only DOCKER is supported: the Mesos containerizer is not',
  );
  refuse(
    json.container?.linuxInfo !== undefined,
    '/container/linuxInfo',
    'works with the Mesos containerizer only',
  );
  refuse(
    docker?.pullConfig !== undefined,
    '/container/docker/pullConfig',
    'is not supported with Docker containerizer',
  );
  refuse(docker?.credential !== undefined, '/container/docker/credential', 'is not supported');
  volumes?.forEach((volume, index) => {
    const path = `/container/volumes(${index})`;
    const special = volume.persistent ?? volume.external ?? volume.secret;
    refuse(special !== undefined, path, 'only host volumes (containerPath, hostPath, mode) are supported');
    refuse(
      special === undefined && !volume.hostPath?.startsWith('/'),
      `${path}/hostPath`,
      'must be an absolute path',
    );
    refuse(!volume.containerPath?.startsWith('/'), `${path}/containerPath`, 'must be an absolute path');
  });
  refuse((json.gpus ?? 0) > 0, '/gpus', 'GPU resources only work with the Mesos containerizer');
  refuse(
    json.resourceLimits !== undefined,
    '/resourceLimits',
    'is not supported: mem is a hard limit, cpus are shares',
  );
  refuse(
    json.executorResources !== undefined,
    '/executorResources',
    'is not supported: one executor serves all tasks',
  );
  refuse(
    (json.executor ?? '') !== '',
    '/executor',
    'is not supported: tasks run on the executor of Patchpanel',
  );
  refuse(notEmpty(json.secrets), '/secrets', 'secrets are not supported yet');
  for (const [name, value] of Object.entries(json.env ?? {})) {
    refuse(
      typeof value !== 'string',
      `/env/${name}`,
      'secrets are not supported yet: give the value as text',
    );
  }
  refuse(
    (json.fetch ?? []).length > 0,
    '/fetch',
    'fetching files is not supported yet: put them into the image',
  );
  refuse(
    (json.uris ?? []).length > 0,
    '/uris',
    'fetching files is not supported yet: put them into the image',
  );
  refuse(json.check !== undefined, '/check', 'is not supported with Docker containers');
  refuse(json.residency !== undefined, '/residency', 'persistent volumes are not supported');
  refuse(json.tty === true, '/tty', 'is not supported with Docker containers');
}

function notEmpty(map: Readonly<Record<string, unknown>> | undefined): boolean {
  return map !== undefined && Object.keys(map).length > 0;
}
