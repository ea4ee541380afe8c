import type { ProbeSpec } from '../../../src/model/task-spec.ts';

/**
 * What the probe program is asked on its standard input, as JSON. It writes a line break when it has asked and only waits, then
 * a ProbeOutcome.
 */
export interface Question {
  readonly probe: Exclude<ProbeSpec, { kind: 'command' }>;
  readonly address: string;
  readonly timeoutMs: number;
}
