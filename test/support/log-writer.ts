import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { createLogger } from '../../src/runtime/logger.ts';

// Logs a line, some more when its standard input ends, and says on standard output that it has lived to see it.
const log = createLogger('log-writer', 'info');
log.info('beginning');
process.stdin.resume();
await once(process.stdin, 'end');
for (let line = 0; line < 10; line += 1) {
  log.info('still here', { line });
  // A failure is told after the write.
  await pause(1);
}
process.stdout.write('lived');
