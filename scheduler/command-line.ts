import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { messageOf, PatchpanelError } from '../src/runtime/errors.ts';
import { forbiddable } from './api/security/policy.ts';
import { configSchema, type Config } from './config.ts';

/** What to do: run, or print something and end. */
export type CommandLine =
  { readonly kind: 'run'; readonly config: Config } | { readonly kind: 'done'; readonly exitCode: number };

/** Marathon's exit code for a command line that cannot be used. */
const badUsage = 112;

const repeated = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

function program(): Command {
  return new Command('patchpanel-scheduler')
    .description(
      'Runs apps as Docker containers on a Mesos cluster, each on the switch with an address that stays.',
    )
    .option('--config <file>', 'JSON file with the same settings in camelCase')
    .option('--master <address>', 'Mesos master, host:port or URL; repeat it for several', repeated)
    .option(
      '--listen <host:port>',
      'where the API listens, https://… with TLS; repeat it for several (127.0.0.1:8080)',
      repeated,
    )
    .option('--advertise-url <url>', 'how executors and the Mesos fetcher reach the API')
    .option('--state-dir <dir>', 'where the state is kept (/var/lib/patchpanel-scheduler)')
    .option('--role <role>', 'Mesos role (*)')
    .option('--framework-name <name>', 'name in Mesos (patchpanel)')
    .option('--user <name>', 'user that executors run as (root)')
    .option('--principal <name>', 'principal for authentication at the master')
    .option('--secret-file <file>', "file with the principal's secret")
    .option('--tls-cert <file>', 'certificate and chain of the https:// addresses, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--tls-ca <file>', 'authority that executors are to trust for it, PEM')
    .option(
      '--users-file <file>',
      'who may use the API (`patchpanel user add` makes it); everybody without it',
    )
    .option(
      '--http-credentials <name:password>',
      'the one user of the API; better by PATCHPANEL_HTTP_CREDENTIALS',
    )
    .option(
      '--access-control-allow-origin <origin>',
      'origin whose pages may read the API, * for all; repeatable (none)',
      repeated,
    )
    .option('--audit-file <file>', 'where it is written down who changed what')
    .option('--rate-limit <number>', 'requests a second that one address may make; 0 for any number (0)')
    .option('--forbid <feature>', `what no app may ask for: ${forbiddable.join(', ')}; repeatable`, repeated)
    .option('--encoding <name>', 'protobuf or json, for the Mesos API (protobuf)')
    .option('--executor-manifest <file>', 'manifest.json of the executor bundle (beside this program)')
    .option('--executor-cpus <number>', 'cpus that an executor itself takes (0.1)')
    .option('--executor-mem <MiB>', 'memory that an executor itself takes (128)')
    .option('--networks-file <file>', 'JSON list of networks to have beside the default one')
    .option('--interconnect <mode>', 'flow (one tunnel port per host) or mesh (one per peer) (flow)')
    .option('--encapsulation <name>', 'vxlan or geneve, between hosts (vxlan)')
    .option('--log-level <level>', 'debug, info, warn, error or silent (info)')
    .option('--failover-timeout <seconds>', 'how long tasks outlive the scheduler (604800)')
    .option('--hostname <name>', 'name of this machine as others know it')
    .option('--decline-seconds <seconds>', 'how long an unused offer is refused for (120)')
    .option('--placement <name>', 'spread or binpack, for apps that do not say it by a label (spread)')
    .option(
      '--accepted-resource-roles-default-behavior <name>',
      'any, unreserved or reserved: what apps use without acceptedResourceRoles (any)',
    )
    .option('--launch-tokens <number>', 'launches in each interval; 0 for any number (0)')
    .option('--launch-token-interval <seconds>', 'the interval (30)')
    .option(
      '--max-instances-per-offer <number>',
      "launches on one host's offers at a time; 0 for any number (0)",
    )
    .option('--draining-seconds <seconds>', 'no launches on a host so long before its maintenance (600)')
    .option('--min-revive-interval <seconds>', 'shortest time between two requests for offers (5)')
    .option('--kill-retry <seconds>', 'time between repeated kills of a task (10)')
    .option('--launch-timeout <seconds>', 'how long a task may take to run (300)')
    .option('--reconcile-interval <seconds>', 'time between two reconciliations (600)')
    .option('--flip-deadline <seconds>', 'longest wait for hosts to acknowledge a new incarnation (10)')
    .option('--unreachable-keep <seconds>', 'how long a replaced unreachable instance is remembered (86400)')
    .option('--max-versions <number>', 'older definitions kept of each app (50)')
    .addHelpText('after', '\nEach option can be set in the environment: --state-dir is PATCHPANEL_STATE_DIR.')
    .allowExcessArguments(false)
    .exitOverride();
}

/**
 * Reads flags (without the program's own name), environment and file into a configuration. Says on standard error
 * what is wrong.
 */
export function readCommandLine(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CommandLine {
  try {
    const flags = program()
      .parse([...argv], { from: 'user' })
      .opts();
    return { kind: 'run', config: mergeSettings(flags, environment) };
  } catch (error) {
    if (error instanceof CommanderError) {
      return { kind: 'done', exitCode: error.exitCode === 0 ? 0 : badUsage };
    }
    process.stderr.write(`patchpanel-scheduler: ${messageOf(error)}\n`);
    return { kind: 'done', exitCode: badUsage };
  }
}

/**
 * Flags over environment over file over defaults.
 * @throws PatchpanelError `invalid` that names the setting
 */
export function mergeSettings(
  flags: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const { config: flaggedFile, ...flagged } = flags;
  const file = flaggedFile ?? environment.PATCHPANEL_CONFIG;
  const merged = {
    ...(typeof file === 'string' ? readSettings(file) : {}),
    ...fromEnvironment(environment),
    ...flagged,
  };
  const result = configSchema.safeParse(merged);
  if (result.success) return result.data;
  throw new PatchpanelError('invalid', explain(result.error));
}

function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const name of Object.keys(configSchema.shape)) {
    const value = environment[variableOf(name)];
    if (value !== undefined && value !== '') settings[name] = value;
  }
  return settings;
}

/** `stateDir` → `PATCHPANEL_STATE_DIR` */
const variableOf = (name: string): string =>
  `PATCHPANEL_${name.replaceAll(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase()}`;

const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;

function readSettings(file: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new PatchpanelError('invalid', `cannot read the settings in ${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function explain(error: z.ZodError): string {
  const problems = error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return `unknown setting ${issue.keys.join(', ')}`;
    const [name] = issue.path;
    const missing = name === 'master' && issue.code === 'invalid_type';
    return `${flagOf(String(name))}: ${missing ? 'give the address of a Mesos master' : issue.message}`;
  });
  return problems.join('; ');
}
