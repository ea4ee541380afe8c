import { PatchpanelError } from '../../runtime/errors.ts';
import { measureCompile } from './fabric-compile.ts';
import { measureMoves } from './fabric-moves.ts';
import type { Figure } from './figures.ts';

/** Hosts, endpoints and measured moves. */
const fabrics = [
  [100, 1_000, 100],
  [1_000, 1_000, 30],
] as const;

/**
 * What a large fabric costs a host, and how long a move takes until all simulated hosts have it.
 * @throws PatchpanelError `aborted` by the signal, between two of them
 */
export async function measureFabric(signal: AbortSignal): Promise<readonly Figure[]> {
  const figures = [...measureCompile()];
  for (const [hosts, endpoints, moves] of fabrics) {
    if (signal.aborted) throw new PatchpanelError('aborted', 'interrupted', { cause: signal.reason });
    figures.push(...(await measureMoves(hosts, endpoints, moves)));
  }
  return figures;
}
