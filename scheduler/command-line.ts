import { Command, CommanderError } from 'commander';
import { guardedDockerParameters } from '../src/model/docker-parameters.ts';
import { messageOf } from '../src/runtime/errors.ts';
import { forbiddable } from '../src/model/app-rules.ts';
import { readSettings, type Settings } from './config-sources.ts';
import { exitCodeHelp, exits } from './exit-codes.ts';

/** What to do: run, or print something and end. */
export type CommandLine =
  ({ readonly kind: 'run' } & Settings) | { readonly kind: 'done'; readonly exitCode: number };

const repeated = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** The options of the scheduler; each names a setting of the schema. */
export function schedulerOptions(): Command {
  return new Command('patchpanel-scheduler')
    .description(
      'Runs apps as Docker containers on a Mesos cluster, each on the switch with an address that stays.',
    )
    .option('--config <file>', 'YAML or JSON file with the same settings in camelCase')
    .option(
      '--master <address>',
      'Mesos master, host:port or URL (repeat it for several), or zk://host:2181,host:2181/mesos',
      repeated,
    )
    .option(
      '--listen <host:port>',
      'where the API listens, https://… with TLS; repeat it for several (127.0.0.1:8080)',
      repeated,
    )
    .option('--advertise-url <url>', 'how executors and the Mesos fetcher reach the API')
    .option('--webui-url <url>', 'where Mesos sends people (the advertise URL)')
    .option('--path-prefix <path>', 'path that a proxy puts before ours, as /service/patchpanel (none)')
    .option('--state-dir <dir>', 'where the state is kept (/var/lib/patchpanel-scheduler)')
    .option(
      '--zk <address>',
      'zk://[user:password@]host:2181,host:2181/path: state shared by several schedulers, one leads',
    )
    .option('--zk-session-timeout <seconds>', 'a leader not heard of for this long is replaced (10)')
    .option('--role <role>', 'Mesos role (*)')
    .option('--framework-name <name>', 'name in Mesos (patchpanel)')
    .option('--user <name>', 'user that executors run as (root)')
    .option('--principal <name>', 'principal for authentication at the master')
    .option('--secret <secret>', "the principal's secret; better by --secret-file or PATCHPANEL_SECRET")
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
    .option('--secrets-dir <dir>', 'directory of secrets for apps, each a file')
    .option('--default-image <image>', 'what an app runs that has a command and names no image')
    .option(
      '--allow-docker-parameter <key>',
      `Docker parameter that apps may use besides: ${guardedDockerParameters.join(', ')}; repeatable`,
      repeated,
    )
    .option('--env-vars-prefix <prefix>', 'goes before the names HOST, PORT… in tasks (none)')
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
    .option('--max-revisions <number>', 'changes remembered, for older versions of groups (500)')
    .option('--max-running-deployments <number>', 'deployments that may run at the same time (100)')
    .option('--max-ended-deployments <number>', 'deployments remembered after their end (100)')
    .option(
      '--deployment-deadline <seconds>',
      'how long a deployment may take; 0 for as long as it takes (0)',
    )
    .addHelpText(
      'after',
      [
        '\nEach option can be set in the environment, --state-dir as PATCHPANEL_STATE_DIR, and in the file of --config, as stateDir.',
        "Marathon's variables are understood where there is the like (MARATHON_MASTER, MARATHON_HTTP_PORT …: docs/configuration.md).",
        'Flags win over PATCHPANEL_ variables, those over MARATHON_ variables, those over the file. As a task of Marathon the',
        'program listens on PORT0 and is known as LIBPROCESS_IP or HOST unless something else is said.',
        exitCodeHelp,
      ].join('\n'),
    )
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
    const flags = schedulerOptions()
      .parse([...argv], { from: 'user' })
      .opts();
    return { kind: 'run', ...readSettings(flags, environment) };
  } catch (error) {
    if (error instanceof CommanderError) {
      return { kind: 'done', exitCode: error.exitCode === 0 ? 0 : exits['bad-usage'].code };
    }
    process.stderr.write(`patchpanel-scheduler: ${messageOf(error)}\n`);
    return { kind: 'done', exitCode: exits['bad-usage'].code };
  }
}
