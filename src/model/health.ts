import { z } from 'zod';

/** What one health check of a task has found. Times are milliseconds since 1970. */
export const checkResultSchema = z.object({
  /** Its last result that counts was a success. */
  alive: z.boolean(),
  consecutiveFailures: z.int().nonnegative(),
  /** It failed so often in a row that the task has to be replaced. */
  exhausted: z.boolean(),
  firstSuccess: z.number().optional(),
  lastSuccess: z.number().optional(),
  lastFailure: z.number().optional(),
  lastFailureCause: z.string().optional(),
});

export type CheckResult = z.infer<typeof checkResultSchema>;

/**
 * The results of a task's checks, in the order of its specification; null: a check without a result that counts. It
 * travels as `health` in the JSON of TaskStatus.data.
 */
export const checkResultsSchema = z.array(checkResultSchema.nullable());

export type CheckResults = readonly (CheckResult | null)[];

/** Whether a task is well: false as soon as one check says so, true when all do, else not known yet. */
export function healthOf(results: CheckResults): boolean | undefined {
  if (results.some((result) => result?.alive === false)) return false;
  return results.length > 0 && results.every((result) => result?.alive === true) ? true : undefined;
}
