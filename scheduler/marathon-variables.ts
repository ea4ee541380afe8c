import type { Config } from './config.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A setting as one of Marathon's variables gives it. */
interface MarathonVariable {
  readonly setting: keyof Config;
  /** Marathon's way to say it in ours; the same unless told. */
  readonly convert?: (text: string) => string;
}

/** Marathon counts milliseconds; what is no number is left for the schema to refuse. */
const fromMs = (text: string): string => (/^\d+$/.test(text) ? String(Number(text) / 1000) : text);

/** Marathon's own tree is left to Marathon: ours is a part of it. */
const belowTree = (address: string): string => `${address.replace(/\/+$/, '')}/patchpanel`;

const levels: Readonly<Record<string, string>> = {
  all: 'debug',
  trace: 'debug',
  warning: 'warn',
  fatal: 'error',
  off: 'silent',
};

const levelOf = (text: string): string => levels[text.toLowerCase()] ?? text.toLowerCase();

/**
 * Marathon's variables that name one setting of ours. Those of the listening addresses are in `listenOf`. Marathon
 * takes its options as `--option_name` or MARATHON_OPTION_NAME; scripts and units mostly use the latter.
 */
export const marathonVariables: Readonly<Record<string, MarathonVariable>> = {
  MARATHON_MASTER: { setting: 'master' },
  MARATHON_HOSTNAME: { setting: 'hostname' },
  MARATHON_WEBUI_URL: { setting: 'webuiUrl' },
  MARATHON_FRAMEWORK_NAME: { setting: 'frameworkName' },
  MARATHON_MESOS_ROLE: { setting: 'role' },
  MARATHON_MESOS_USER: { setting: 'user' },
  MARATHON_HTTP_CREDENTIALS: { setting: 'httpCredentials' },
  MESOSPHERE_HTTP_CREDENTIALS: { setting: 'httpCredentials' },
  MARATHON_ACCESS_CONTROL_ALLOW_ORIGIN: { setting: 'accessControlAllowOrigin' },
  MARATHON_FAILOVER_TIMEOUT: { setting: 'failoverTimeout' },
  MARATHON_MESOS_AUTHENTICATION_PRINCIPAL: { setting: 'principal' },
  MARATHON_MESOS_AUTHENTICATION_SECRET: { setting: 'secret' },
  MARATHON_MESOS_AUTHENTICATION_SECRET_FILE: { setting: 'secretFile' },
  MARATHON_ACCEPTED_RESOURCE_ROLES_DEFAULT_BEHAVIOR: { setting: 'acceptedResourceRolesDefaultBehavior' },
  MARATHON_ENV_VARS_PREFIX: { setting: 'envVarsPrefix' },
  MARATHON_LAUNCH_TOKENS: { setting: 'launchTokens' },
  MARATHON_LAUNCH_TOKEN_REFRESH_INTERVAL: { setting: 'launchTokenInterval', convert: fromMs },
  MARATHON_MAX_INSTANCES_PER_OFFER: { setting: 'maxInstancesPerOffer' },
  MARATHON_DRAINING_SECONDS: { setting: 'drainingSeconds' },
  MARATHON_DECLINE_OFFER_DURATION: { setting: 'declineSeconds', convert: fromMs },
  MARATHON_MIN_REVIVE_OFFERS_INTERVAL: { setting: 'minReviveInterval', convert: fromMs },
  MARATHON_KILL_RETRY_TIMEOUT: { setting: 'killRetry', convert: fromMs },
  MARATHON_TASK_LAUNCH_TIMEOUT: { setting: 'launchTimeout', convert: fromMs },
  MARATHON_RECONCILIATION_INTERVAL: { setting: 'reconcileInterval', convert: fromMs },
  MARATHON_ZK: { setting: 'zk', convert: belowTree },
  MARATHON_ZK_SESSION_TIMEOUT: { setting: 'zkSessionTimeout', convert: fromMs },
  MARATHON_ZK_MAX_VERSIONS: { setting: 'maxVersions' },
  MARATHON_MAX_RUNNING_DEPLOYMENTS: { setting: 'maxRunningDeployments' },
  MARATHON_LOGGING_LEVEL: { setting: 'logLevel', convert: levelOf },
};

const listenVariables = [
  'MARATHON_HTTP_ADDRESS',
  'MARATHON_HTTP_PORT',
  'MARATHON_HTTPS_ADDRESS',
  'MARATHON_HTTPS_PORT',
  'MARATHON_DISABLE_HTTP',
] as const;

/** One setting and the name of the variable that gave it. */
export interface GivenSetting {
  readonly setting: keyof Config;
  readonly value: unknown;
  readonly by: string;
}

/** What Marathon's variables in the environment say, in our terms. */
export function fromMarathon(environment: Environment): readonly GivenSetting[] {
  const given = Object.entries(marathonVariables).flatMap(([by, { setting, convert }]) => {
    const text = environment[by];
    if (text === undefined || text === '') return [];
    return [{ setting, value: convert === undefined ? text : convert(text), by }];
  });
  const listen = listenOf(environment);
  return listen === undefined ? given : [...given, listen];
}

/** Marathon listens on every address unless told, and with TLS where it has a port for it. */
function listenOf(environment: Environment): GivenSetting | undefined {
  const present = listenVariables.filter((name) => environment[name] !== undefined);
  const [by] = present;
  if (by === undefined) return undefined;
  const {
    MARATHON_HTTP_ADDRESS: address = '0.0.0.0',
    MARATHON_HTTP_PORT: port = '8080',
    MARATHON_HTTPS_ADDRESS: tlsAddress = '0.0.0.0',
    MARATHON_HTTPS_PORT: tlsPort = '8443',
  } = environment;
  const plain = present.includes('MARATHON_DISABLE_HTTP') ? [] : [`${address}:${port}`];
  const tls = present.some((name) => name.startsWith('MARATHON_HTTPS'))
    ? [`https://${tlsAddress}:${tlsPort}`]
    : [];
  return { setting: 'listen', value: [...plain, ...tls], by: present.join(', ') };
}

/** Marathon's variables that are there and change nothing here. What Marathon gives its own tasks is not meant. */
export function withoutEffect(environment: Environment): readonly string[] {
  return Object.keys(environment).filter(
    (name) =>
      name.startsWith('MARATHON_') &&
      !name.startsWith('MARATHON_APP_') &&
      !Object.hasOwn(marathonVariables, name) &&
      !listenVariables.some((known) => known === name),
  );
}
