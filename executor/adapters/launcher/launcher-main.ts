import { setMaxListeners } from 'node:events';
import { launch } from './launch.ts';
import type { FromLauncher, ToLauncher } from './launcher.ts';

/**
 * The launcher's program: runs programs for the process that started it, and ends with it, however that ends, together with
 * the programs that still run. What ends the executor in order reaches the whole group: the executor has programs to run
 * while it ends, so the launcher does not heed it.
 */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

const running = new AbortController();
setMaxListeners(Infinity, running.signal);

process.on('message', ({ id, launch: wish, tellsOutput }: ToLauncher) => {
  const onOutput = tellsOutput ? () => say({ kind: 'output', id }) : undefined;
  void launch(wish, onOutput, running.signal).then((outcome) => say({ kind: 'outcome', id, outcome }));
});
process.on('disconnect', () => {
  running.abort();
  process.exit(0);
});

function say(message: FromLauncher): void {
  // Nobody is there to be told any more: `disconnect` follows.
  process.send?.(message, undefined, undefined, () => {});
}

say({ kind: 'ready' });
