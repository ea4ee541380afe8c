import type { Logger } from '../../src/runtime/logger.ts';

/** A logger that keeps its lines for the test to look at. */
export function recordingLogger(): Logger & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const add = (message: string): void => void lines.push(message);
  const logger = { lines, debug: add, info: add, warn: add, error: add, debugEnabled: true };
  return { ...logger, child: () => ({ ...logger, child: () => recordingLogger() }) };
}
