/**
 * The one error base of both programs. A code says what kind of failure it is (callers switch on it), the
 * message says what failed, on which thing and what to do about it.
 */
export type ErrorCode =
  | 'aborted'
  | 'conflict'
  | 'corrupt'
  | 'deadline'
  | 'denied'
  | 'external'
  | 'invalid'
  | 'not-found'
  | 'protocol'
  | 'unavailable';

export interface ErrorDetails {
  readonly cause?: unknown;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  /** Facts for the log; never secrets. */
  readonly context?: Readonly<Record<string, unknown>>;
}

export class PatchpanelError extends Error {
  override readonly name = 'PatchpanelError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? (code === 'unavailable' || code === 'deadline');
    this.context = details.context ?? {};
  }
}

/** The message of anything that was thrown, for logs and for people. */
export function messageOf(thrown: unknown): string {
  if (thrown !== null && typeof thrown === 'object' && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}

/** The `code` of a system or Patchpanel error, if it has one (`ENOENT`, `not-found`, …). */
export function codeOf(thrown: unknown): string | undefined {
  if (thrown !== null && typeof thrown === 'object' && 'code' in thrown) return String(thrown.code);
  return undefined;
}
