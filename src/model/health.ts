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

/** What is kept of a body, in bytes as it was sent. */
export const maxBodyBytes = 4096;

/** What is kept of a content type, in characters. */
export const maxContentType = 256;

/**
 * An answer over HTTP to a readiness check that keeps it; `body` is at most its beginning. It travels as `response` in
 * the JSON of TaskStatus.data. What an app says may be confidential: it is shown to whoever may see the app, never logged.
 */
export const httpResponseSchema = z.object({
  status: z.int(),
  contentType: z.string().max(maxContentType),
  /** No more characters than bytes. */
  body: z.string().max(maxBodyBytes),
});

export type HttpResponse = z.infer<typeof httpResponseSchema>;

export const isSameResponse = (a: HttpResponse | undefined, b: HttpResponse | undefined): boolean =>
  a?.status === b?.status && a?.contentType === b?.contentType && a?.body === b?.body;

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
