import type { App } from '../../../src/model/app.ts';
import type { SecretFile, TaskSpec } from '../../../src/model/task-spec.ts';
import { messageOf } from '../../../src/runtime/errors.ts';

/** Where values of secrets come from. */
export interface SecretReader {
  /** @throws PatchpanelError that says why there is none */
  read(source: string): Buffer;
}

/** The container's own directory for what was fetched. */
const sandbox = '/mnt/mesos/sandbox/';

/**
 * The values of an app's secrets where its task needs them. One that cannot be read any more makes the task one that is
 * refused with the reason, so that it is seen where tasks are seen.
 */
export function taskSecrets(
  app: App,
  reader: SecretReader,
): { readonly env: Record<string, string> } & Pick<TaskSpec, 'secretFiles' | 'pullConfig' | 'problem'> {
  const values = new Map<string, Buffer>();
  const valueOf = (name: string): Buffer => {
    const value = values.get(name) ?? reader.read(app.secrets?.[name]?.source ?? '');
    values.set(name, value);
    return value;
  };
  try {
    const { pullConfig } = app.container;
    return {
      env: secretEnvironment(app, valueOf),
      secretFiles: app.container.volumes.flatMap((volume): SecretFile[] => {
        if (!('secret' in volume)) return [];
        const { containerPath, secret } = volume;
        const absolute = containerPath.startsWith('/') ? containerPath : `${sandbox}${containerPath}`;
        return [{ containerPath: absolute, content: valueOf(secret).toString('base64') }];
      }),
      ...(pullConfig === undefined ? {} : { pullConfig: valueOf(pullConfig.secret).toString() }),
    };
  } catch (error) {
    return { env: {}, secretFiles: [], problem: messageOf(error) };
  }
}

/** A file's last line feed is not part of what a variable is to hold. */
function secretEnvironment(app: App, valueOf: (name: string) => Buffer): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(app.env)) {
    if (typeof value !== 'string')
      env[name] = valueOf(value.secret)
        .toString()
        .replace(/\r?\n$/, '');
  }
  return env;
}
