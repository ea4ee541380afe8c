import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { codeOf, messageOf, PatchpanelError } from '../../src/runtime/errors.ts';

export interface SecretsOptions {
  /** Each file below it is a secret; absent: there are none in files. */
  readonly directory: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A secret travels with the launch of the task, which Mesos keeps small. */
const maxBytes = 64 * 1024;
const variablePrefix = 'PATCHPANEL_APP_SECRET_';

/**
 * The values of secrets by what an app's `secrets` call their source: `env:NAME` is the scheduler's variable
 * PATCHPANEL_APP_SECRET_NAME (no other can be had), anything else a file below the directory of secrets. Read anew each time,
 * and kept nowhere.
 */
export class Secrets {
  readonly #options: SecretsOptions;

  constructor(options: SecretsOptions) {
    this.#options = options;
  }

  /** @throws PatchpanelError that says why there is none: `not-found`, `invalid` (its name, its size) or `denied` */
  read(source: string): Buffer {
    const variable = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(source)?.[1];
    if (variable !== undefined) return this.#ofEnvironment(variable);
    if (source.startsWith('env:'))
      throw new PatchpanelError('invalid', `"${source}" does not name a variable`);
    return this.#ofFile(source);
  }

  /** Why there is no such secret, if there is none. */
  problem(source: string): string | undefined {
    try {
      this.read(source);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  #ofEnvironment(name: string): Buffer {
    const value = this.#options.environment[`${variablePrefix}${name}`];
    if (value !== undefined) return Buffer.from(value);
    throw new PatchpanelError('not-found', `the scheduler has no variable ${variablePrefix}${name}`);
  }

  #ofFile(source: string): Buffer {
    const { directory } = this.#options;
    if (directory === undefined)
      throw new PatchpanelError('not-found', 'Feature secrets is not enabled. Enable with --secrets-dir');
    const parts = source.split('/');
    if (
      source.startsWith('/') ||
      source.includes('\0') ||
      parts.some((part) => part === '' || part.startsWith('.'))
    )
      throw new PatchpanelError('invalid', `"${source}" is not a path below the directory of secrets`);
    const file = path.join(directory, ...parts);
    try {
      const facts = statSync(file);
      if (!facts.isFile()) throw new PatchpanelError('not-found', `there is no secret "${source}"`);
      if (facts.size > maxBytes)
        throw new PatchpanelError('invalid', `the secret "${source}" is larger than ${maxBytes} bytes`);
      return readFileSync(file);
    } catch (error) {
      if (error instanceof PatchpanelError) throw error;
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR')
        throw new PatchpanelError('not-found', `there is no secret "${source}"`);
      throw new PatchpanelError('denied', `the secret "${source}" cannot be read: ${code}`);
    }
  }
}
