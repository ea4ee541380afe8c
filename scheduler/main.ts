import { codeOf, messageOf } from '../src/runtime/errors.ts';
import { createLogger, type Logger, type LogLevelControl } from '../src/runtime/logger.ts';
import { withDeadline } from '../src/runtime/deadline.ts';
import { readCommandLine } from './command-line.ts';
import type { Config } from './config.ts';
import { exits } from './exit-codes.ts';
import { runScheduler, type RunOutcome } from './run.ts';

/** How long a stop may take before the process ends all the same: what is durable is durable. */
const stopDeadlineMs = 10_000;

/** Runs until a signal or until the scheduler cannot go on, and gives the exit code. */
async function main(config: Config, log: Logger & LogLevelControl): Promise<number> {
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => stop.abort());
  try {
    const running = runScheduler(config, log, stop.signal);
    stop.signal.addEventListener('abort', () => {
      log.info('stopping');
      withDeadline(running, stopDeadlineMs, 'the stop').catch((error: unknown) => {
        log.error('the stop did not come to an end', { error });
        process.exit(exits.failed.code);
      });
    });
    return report(await running, log);
  } catch (error) {
    log.error('cannot start', { error });
    process.stderr.write(`patchpanel-scheduler: ${messageOf(error)}\n`);
    return startFailure(error);
  }
}

function report(outcome: RunOutcome, log: Logger): number {
  switch (outcome.kind) {
    case 'stopped':
      log.info('stopped; the framework and its tasks stay');
      break;
    case 'failed':
      log.error('the scheduler cannot go on; its state is safe: start it again', { error: outcome.error });
      break;
    case 'failed-over':
      log.error('another scheduler has taken over this framework', { message: outcome.message });
      break;
    case 'superseded':
      log.error('another scheduler has taken over the state', { message: outcome.reason });
      break;
    case 'removed':
      log.error(
        'Mesos has removed this framework and with it every task; to begin anew, move the state directory away',
        { message: outcome.message },
      );
      break;
    case 'error':
      log.error('Mesos refuses this framework', { message: outcome.message });
      break;
  }
  return exits[outcome.kind].code;
}

function startFailure(error: unknown): number {
  const code = codeOf(error);
  if (code === 'corrupt') return exits.corrupt.code;
  return code === 'unavailable' ? exits['cannot-listen'].code : exits.failed.code;
}

// `--help | head -1`: a reader that has seen enough is no failure.
process.stdout.on('error', (error) => {
  if (codeOf(error) !== 'EPIPE') throw error;
});

const commandLine = readCommandLine(process.argv.slice(2), process.env);
if (commandLine.kind === 'done') {
  process.exitCode = commandLine.exitCode;
} else {
  const log = createLogger('scheduler', commandLine.config.logLevel);
  process.on('uncaughtException', (error) => {
    log.error('an unexpected failure', { error });
    process.exit(exits.uncaught.code);
  });
  for (const remark of commandLine.remarks) log.warn('a setting in the environment is not used', { remark });
  process.exit(await main(commandLine.config, log));
}
