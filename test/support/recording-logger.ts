import type { Logger } from '../../src/runtime/logger.ts';

/** A logger that keeps the messages of its lines for the test to look at; its children write to it. */
export function recordingLogger(): Logger & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const add = (message: string): void => void lines.push(message);
  const logger = { lines, debug: add, info: add, warn: add, error: add, debugEnabled: true };
  const whole: Logger & { readonly lines: readonly string[] } = { ...logger, child: () => whole };
  return whole;
}
