import type { RunOutcome } from './run.ts';

/** How the scheduler can end. */
export type Ending = RunOutcome['kind'] | 'uncaught' | 'corrupt' | 'cannot-listen' | 'bad-usage';

/**
 * The exit code of each end with its meaning, for supervisors and people. They are Marathon's where Marathon has one
 * (reference: Marathon's CrashStrategy), so that those who watch Marathon find what they know.
 */
export const exits: Readonly<Record<Ending, { readonly code: number; readonly meaning: string }>> = {
  stopped: { code: 0, meaning: 'stopped by a signal; the framework and its tasks stay' },
  failed: { code: 1, meaning: 'cannot start, or cannot go on; the state is safe, start it again' },
  'failed-over': { code: 103, meaning: 'another scheduler has taken over the framework' },
  superseded: { code: 103, meaning: 'another scheduler has taken over the state' },
  error: { code: 106, meaning: 'Mesos refuses the framework' },
  uncaught: { code: 107, meaning: 'an unexpected failure' },
  corrupt: { code: 108, meaning: 'the stored state cannot be used: starting would lose or double tasks' },
  removed: { code: 110, meaning: 'Mesos has removed the framework and its tasks' },
  'cannot-listen': { code: 111, meaning: 'an address of the API cannot be had' },
  'bad-usage': { code: 112, meaning: 'a setting is wrong' },
};

/** For `--help`. */
export const exitCodeHelp = `\nExit codes:\n${Object.values(exits)
  .map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`)
  .join('\n')}`;
