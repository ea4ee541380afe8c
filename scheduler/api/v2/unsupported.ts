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
  refuse(docker?.credential !== undefined, '/container/docker/credential', 'is not supported');
  volumes?.forEach((volume, index) => {
    refuse(
      (volume.persistent ?? volume.external) !== undefined,
      `/container/volumes(${index})`,
      'persistent and external volumes are not supported: use host volumes (containerPath, hostPath, mode)',
    );
  });
  refuse((json.gpus ?? 0) > 0, '/gpus', 'GPU resources only work with the Mesos containerizer');
  refuse(
    json.executorResources !== undefined,
    '/executorResources',
    'is not supported: one executor serves all tasks',
  );
  refuse(
    !['', '//cmd'].includes(json.executor ?? ''),
    '/executor',
    'is not supported: tasks run on the executor of Patchpanel',
  );
  refuse(json.check !== undefined, '/check', 'is not supported with Docker containers');
  refuse(json.residency !== undefined, '/residency', 'persistent volumes are not supported');
}
