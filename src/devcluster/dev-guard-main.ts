import { once } from 'node:events';
import { sleep } from '../runtime/deadline.ts';
import { createLogger } from '../runtime/logger.ts';
import { cleanCluster } from './cleanup.ts';
import { isOwned, readLedger } from './ledger.ts';

/** After its last word the owner may take a while to end; a guard that waits longer than this gives up. */
const ownerTimeoutMs = 60_000;

/** The guard's program: waits for the end of standard input, then removes what the cluster of that name has left. */
async function main(name: string): Promise<void> {
  const log = createLogger('dev-guard', 'info');
  process.stdin.resume();
  await once(process.stdin, 'close');
  const end = performance.now() + ownerTimeoutMs;
  for (;;) {
    const content = await readLedger(name);
    if (content === undefined) return;
    if (!(await isOwned(content))) break;
    if (performance.now() > end) return;
    await sleep(100);
  }
  log.info('the cluster has ended without removing what it made', { cluster: name });
  await cleanCluster(name, log);
}

await main(process.argv[2] ?? '');
