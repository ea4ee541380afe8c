import { Command } from 'commander';
import { findHost } from '../../executor/adapters/host-findings.ts';
import { readExecutorConfig } from '../../executor/config.ts';
import { checkHost, type Check } from '../../executor/core/host-check.ts';
import { messageOf } from '../runtime/errors.ts';
import { CliError, exitCodes, type GlobalOptions } from './client.ts';
import { print, table, terminalWidth } from './output.ts';

/** `patchpanel doctor`: what this machine lacks to be a host. */
export function doctorCommand(): Command {
  return new Command('doctor').action((_options, command: Command) => examine(command.optsWithGlobals()));
}

async function examine({ json }: GlobalOptions): Promise<void> {
  const checks = await checked();
  print(json, checks, () =>
    table(
      ['CHECK', '', 'FOUND', 'WHAT TO DO'],
      checks.map(({ what, level, found, remedy }) => [what, level, found, remedy ?? '']),
      'nothing to check',
      terminalWidth(),
    ),
  );
  const failed = checks.filter(({ level }) => level === 'fail').map(({ what }) => what);
  if (failed.length > 0) {
    throw new CliError(exitCodes.failed, `no task will run on this machine: ${failed.join(', ')}`);
  }
}

async function checked(): Promise<readonly Check[]> {
  try {
    const config = readExecutorConfig(process.env);
    return checkHost(await findHost(config), config);
  } catch (error) {
    throw new CliError(exitCodes.failed, messageOf(error));
  }
}
