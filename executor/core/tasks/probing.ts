import type { ProbeSpec } from '../../../src/model/task-spec.ts';
import type { ProbeOutcome } from './health-check.ts';

/** Where a probe goes. */
export interface ProbeTarget {
  /** The app's container. */
  readonly container: string;
  /** A process in the network namespace of the app; absent: the app's own process is looked up. */
  readonly sandboxPid?: number;
  /** The address inside that namespace. */
  readonly address: string;
}

/** What health checks need of the host. */
export interface Prober {
  /**
   * Asks once; an answer that is not there after `timeoutMs` is a failure.
   * @throws PatchpanelError when it could not ask, which says nothing about the app
   */
  probe(probe: ProbeSpec, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome>;
}
