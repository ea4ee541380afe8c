import { messageOf } from '../runtime/errors.ts';
import { createLogger } from '../runtime/logger.ts';
import { Demo } from './demo/steps.ts';
import { Report } from './demo/report.ts';
import { runInForeground } from './foreground.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);
const started = performance.now();

try {
  const report = new Report(say);
  const ended = await runInForeground(
    {
      name: 'ppdemo',
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
