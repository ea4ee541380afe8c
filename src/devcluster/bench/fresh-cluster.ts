import { PatchpanelError } from '../../runtime/errors.ts';
import type { Figure } from './figures.ts';
import { SimulatedCluster, type SeveralSchedulers } from './simulated-cluster.ts';

/** Measures on a cluster of its own, which is gone afterwards. @throws PatchpanelError `aborted` by the signal */
export async function onFreshCluster(
  load: (cluster: SimulatedCluster) => Promise<readonly Figure[]>,
  signal: AbortSignal,
  several?: SeveralSchedulers,
): Promise<readonly Figure[]> {
  const cluster = await SimulatedCluster.start(several);
  const leave = new AbortController();
  try {
    return await Promise.race([load(cluster), rejectionOf(signal, leave.signal)]);
  } finally {
    leave.abort();
    await cluster.stop();
  }
}

/** Rejects when the signal fires, unless `until` fires first; never resolves. */
async function rejectionOf(signal: AbortSignal, until: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const interrupt = () => reject(new PatchpanelError('aborted', 'interrupted', { cause: signal.reason }));
    if (signal.aborted) return interrupt();
    signal.addEventListener('abort', interrupt, { once: true, signal: until });
  });
}
