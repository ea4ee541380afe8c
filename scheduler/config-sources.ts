import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { parseConfigFile } from '../src/runtime/config-file.ts';
import { messageOf, PatchpanelError } from '../src/runtime/errors.ts';
import { nearest } from '../src/runtime/nearest.ts';
import { configSchema, type Config } from './config.ts';
import { fromMarathon, withoutEffect, type Environment, type GivenSetting } from './marathon-variables.ts';

/** A configuration, and what its reader should be told of it. */
export interface Settings {
  readonly config: Config;
  readonly remarks: readonly string[];
}

const names = Object.keys(configSchema.shape) as readonly (keyof Config)[];

/** `stateDir` → `PATCHPANEL_STATE_DIR` */
export const variableOf = (name: string): string =>
  `PATCHPANEL_${name.replaceAll(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`;

/** `stateDir` → `--state-dir` */
export const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;

/**
 * Flags over PATCHPANEL_ variables over Marathon's variables over the file over what a task is told by who runs it,
 * and that over the defaults.
 * @throws PatchpanelError `invalid` that names the setting by where it was given
 */
export function readSettings(flags: Readonly<Record<string, unknown>>, environment: Environment): Settings {
  const { config: flaggedFile, ...flagged } = flags;
  const file = flaggedFile ?? environment.PATCHPANEL_CONFIG;
  const given: readonly GivenSetting[] = [
    ...fromTask(environment),
    ...(typeof file === 'string' && file !== '' ? fromFile(file) : []),
    ...fromMarathon(environment),
    ...fromEnvironment(environment),
    ...Object.entries(flagged).map(([name, value]) => giving(name, value, flagOf(name))),
  ];
  const merged = new Map(given.map((each) => [each.setting as string, each]));
  const result = configSchema.safeParse(
    Object.fromEntries([...merged].map(([setting, { value }]) => [setting, value])),
  );
  if (!result.success) throw new PatchpanelError('invalid', explain(result.error, merged));
  return { config: result.data, remarks: remarksOn(environment) };
}

const giving = (name: string, value: unknown, by: string): GivenSetting => ({
  // Names that are none are for the schema to refuse.
  setting: name as keyof Config,
  value,
  by,
});

/** A task of Marathon's, or ours, listens on the port that it was given, and is known by its agent. */
function fromTask({
  MESOS_TASK_ID: task,
  PORT0: port,
  LIBPROCESS_IP: ip,
  HOST: host,
}: Environment): GivenSetting[] {
  if (task === undefined) return [];
  const name = ip === undefined || ip === '' || ip === '0.0.0.0' ? host : ip;
  return [
    ...(port === undefined ? [] : [giving('listen', [`0.0.0.0:${port}`], 'PORT0')]),
    ...(name === undefined ? [] : [giving('hostname', name, name === ip ? 'LIBPROCESS_IP' : 'HOST')]),
  ];
}

function fromFile(file: string): GivenSetting[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PatchpanelError('invalid', `cannot read the settings in ${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
  return Object.entries(parseConfigFile(file, text)).map(([name, value]) =>
    giving(name, value, `${name} in ${file}`),
  );
}

function fromEnvironment(environment: Environment): GivenSetting[] {
  return names.flatMap((name) => {
    const by = variableOf(name);
    const value = environment[by];
    return value === undefined || value === '' ? [] : [giving(name, value, by)];
  });
}

/** Variables of others begin with PATCHPANEL_ too (the command line's, a task's), so only what looks like a slip is told. */
function remarksOn(environment: Environment): string[] {
  const known = [...names.map(variableOf), 'PATCHPANEL_CONFIG', ...notSettings];
  const slips = Object.keys(environment).flatMap((name) => {
    if (!name.startsWith('PATCHPANEL_') || known.includes(name)) return [];
    const meant = nearest(name.slice('PATCHPANEL_'.length), names);
    return meant === undefined ? [] : [`${name} is no setting; did you mean ${variableOf(meant)}?`];
  });
  const unused = withoutEffect(environment).map((name) => `${name} has no effect on Patchpanel`);
  return [...slips, ...unused];
}

/** What the command line reads, and what a task of Patchpanel's is told. */
const notSettings = ['URL', 'TOKEN', 'CA_FILE', 'SLOT', 'IP', 'KEEP_LOGS'].map(
  (name) => `PATCHPANEL_${name}`,
);

function explain(error: z.ZodError, given: ReadonlyMap<string, GivenSetting>): string {
  const problems = error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => unknownSetting(key, given)).join('; ');
    const name = String(issue.path[0]);
    if (name === 'master' && !given.has(name)) return `${flagOf(name)}: give the address of a Mesos master`;
    return `${given.get(name)?.by ?? flagOf(name)}: ${issue.message}`;
  });
  return problems.join('; ');
}

function unknownSetting(key: string, given: ReadonlyMap<string, GivenSetting>): string {
  const meant = nearest(key, names);
  const hint = meant === undefined ? '--help lists all' : `did you mean ${meant}?`;
  return `unknown setting ${given.get(key)?.by ?? key}; ${hint}`;
}
