import { Command } from 'commander';
import { messageOf } from '../runtime/errors.ts';
import { createLogger } from '../runtime/logger.ts';
import { Demo } from './demo/steps.ts';
import { Report } from './demo/report.ts';
import { runInForeground } from './foreground.ts';

const { name } = new Command('demo')
  .description('Shows the main job on three hosts on this machine, then removes everything.')
  .option('--name <name>', 'name of the cluster: two side by side need two', 'ppdemo')
  .parse()
  .opts<{ name: string }>();
const say = (line: string) => void process.stdout.write(`${line}\n`);
const started = performance.now();

try {
  const report = new Report(say);
  const ended = await runInForeground(
    {
      name,
      hosts: 3,
      api: '127.0.0.1:0',
      masterListen: '127.0.0.1:0',
      controlListen: '127.0.0.1:0',
    },
    { log: createLogger('demo', 'warn'), dockerHost: process.env['DOCKER_HOST'], progress: say },
    (cluster) => new Demo(cluster, report).run(),
  );
  if (ended === 'interrupted') {
    process.exitCode = 130;
  } else {
    say(`\n${report.toString()}\n\nall of it in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
} catch (error) {
  process.stderr.write(`demo: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
