import { readExecutorEnvironment } from '../src/mesos/executor-environment.ts';
import { messageOf } from '../src/runtime/errors.ts';
import { createLogger } from '../src/runtime/logger.ts';
import { Launcher } from './adapters/launcher/launcher.ts';
import { programBeside, runProgramsBy } from './adapters/program.ts';
import { readExecutorConfig } from './config.ts';
import { searchPath } from './core/search-path.ts';
import { Executor } from './executor.ts';
import { bury, buryCommand } from './tasks/undertaker.ts';

/** The executor's program: started by a Mesos agent, configured by its environment. */
async function main(): Promise<number> {
  const [, , command, ...args] = process.argv;
  if (command === buryCommand) {
    await bury(args, createLogger('undertaker', 'info'));
    return 0;
  }
  const config = readExecutorConfig(process.env);
  const environment = readExecutorEnvironment(process.env);
  // Nothing that is started from here has any business with it.
  delete process.env['MESOS_EXECUTOR_AUTHENTICATION_TOKEN'];
  const log = createLogger('executor', config.logLevel).child({ executorId: environment.executorId });
  process.env['PATH'] = searchPath(process.env['PATH']);
  const crash = (error: unknown) => {
    log.error('unexpected failure', { error });
    process.exitCode = 1;
    setImmediate(() => process.exit(1));
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  log.info('executor starts', { agentId: environment.agentId, pid: process.pid, config });
  const launcher = new Launcher({
    node: process.execPath,
    program: programBeside('launcher.cjs'),
    residentBytes: () => process.memoryUsage.rss(),
    log,
  });
  runProgramsBy((wish, onOutput) => launcher.run(wish, onOutput));
  const executor = new Executor(config, environment, log);
  process.on('SIGTERM', () => executor.shutdown('SIGTERM'));
  process.on('SIGINT', () => executor.shutdown('SIGINT'));
  const exitCode = await executor.run();
  launcher.close();
  log.info('executor ends', { exitCode });
  return exitCode;
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
    // What is left open belongs to requests that were given up; it must not keep the process alive.
    setImmediate(() => process.exit(exitCode));
  },
  (error: unknown) => {
    process.stderr.write(`executor: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
