import type { ProbeSpec } from '../../../src/model/task-spec.ts';
import type { ProbeOutcome } from '../../core/tasks/health-check.ts';

/**
 * What the probe program is asked on its standard input, as JSON. It writes a line break when it has asked and only waits, then
 * what it found.
 */
export interface Question {
  readonly probe: Exclude<ProbeSpec, { kind: 'command' }>;
  readonly address: string;
  readonly timeoutMs: number;
}

export interface Finding {
  readonly outcome: ProbeOutcome;
  /** The time-out went by before all of the answer was there. */
  readonly late: boolean;
}
