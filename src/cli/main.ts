#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { codeOf, messageOf } from '../runtime/errors.ts';
import { appCommand } from './app.ts';
import { CliError, exitCodes } from './client.ts';
import { deploymentCommand } from './deployment.ts';
import { devCommand } from './dev.ts';
import { doctorCommand } from './doctor.ts';
import { fabricCommand } from './fabric.ts';
import { groupCommand } from './group.ts';
import { hostCommand, networkCommand } from './network.ts';
import { pathCommand } from './path.ts';
import { stateCommand } from './state.ts';
import { taskCommand } from './task.ts';
import { userCommand } from './user.ts';
import { version } from './version.ts';

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
    '\nExit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 scheduler not reachable, 4 not found, 5 locked by a deployment, 6 waited too long',
  )
  .addCommand(appCommand())
  .addCommand(groupCommand())
  .addCommand(deploymentCommand())
  .addCommand(taskCommand())
  .addCommand(networkCommand())
  .addCommand(hostCommand())
  .addCommand(fabricCommand())
  .addCommand(pathCommand())
  .addCommand(userCommand())
  .addCommand(stateCommand())
  .addCommand(doctorCommand())
  .addCommand(devCommand());

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
