#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { codeOf, messageOf } from '../runtime/errors.ts';
import { appCommand } from './app.ts';
import { CliError, exitCodes } from './client.ts';
import { deploymentCommand } from './deployment.ts';
import { fabricCommand } from './fabric.ts';
import { groupCommand } from './group.ts';
import { hostCommand, networkCommand } from './network.ts';
import { pathCommand } from './path.ts';
import { taskCommand } from './task.ts';
import { version } from './version.ts';

/**
 * Commands that work on this machine need what would keep every other command waiting for half a second: they are loaded
 * when their name is among the words, and are a name and a description otherwise.
 */
const localCommands = [
  {
    name: 'user',
    description: "keep the file of users, the scheduler's --users-file",
    load: async () => (await import('./user.ts')).userCommand(),
  },
  {
    name: 'state',
    description:
      "back up and restore a scheduler's state; the scheduler must not run meanwhile (with ZooKeeper it may during an export)",
    load: async () => (await import('./state.ts')).stateCommand(),
  },
  {
    name: 'doctor',
    description:
      "check whether this machine has what an executor needs, by the executor's settings (/etc/patchpanel/executor.yaml, variables); 1 if not",
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  {
    name: 'dev',
    description: 'run a cluster of several hosts on this machine, until Ctrl-C',
    load: async () => (await import('./dev.ts')).devCommand(),
  },
];

const program = new Command('patchpanel')
  .description('Docker containers on Mesos, on one big switch, with addresses that stay')
  .version(version)
  .addOption(
    new Option('--url <url>', "the scheduler's API").env('PATCHPANEL_URL').default('http://127.0.0.1:8080'),
  )
  .addOption(new Option('--token <token>', 'a token; put it into the environment').env('PATCHPANEL_TOKEN'))
  .addOption(new Option('--user <name:password>', 'a user').env('PATCHPANEL_USER'))
  .addOption(new Option('--ca-file <file>', 'authority to trust, PEM').env('PATCHPANEL_CA_FILE'))
  .option('--json', 'print JSON for programs', false)
  .showHelpAfterError('(--help tells more)')
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 scheduler not reachable, 4 not found, 5 locked by a deployment or there already, 6 waited too long',
  )
  .addCommand(appCommand())
  .addCommand(groupCommand())
  .addCommand(deploymentCommand())
  .addCommand(taskCommand())
  .addCommand(networkCommand())
  .addCommand(hostCommand())
  .addCommand(fabricCommand())
  .addCommand(pathCommand());

for (const { name, description, load } of localCommands) {
  const command = process.argv.includes(name) ? await load() : new Command(name);
  program.addCommand(command.description(description));
}

program.exitOverride();
for (const command of program.commands.flatMap((c) => [c, ...c.commands]))
  command.copyInheritedSettings(program);

// `patchpanel app list | head -1`: a reader that has seen enough is no failure.
process.stdout.on('error', (error) => {
  if (codeOf(error) !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  process.stderr.write(`patchpanel: ${messageOf(error)}\n`);
  return error instanceof CliError ? error.exitCode : exitCodes.failed;
}
