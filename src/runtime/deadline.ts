import { PatchpanelError } from './errors.ts';

/** Resolves after `delayMs`; rejects with code `aborted` when the signal fires first. */
export function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal));
    const onAbort = () => {
      clearTimeout(timer);
      reject(aborted(signal!));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * The promise's result, or an error with code `deadline` that names `what` after `timeoutMs`. It does not cancel
 * the work: pass a signal to that as well.
 */
export async function withDeadline<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new PatchpanelError('deadline', `${what} took longer than ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
}

function aborted(signal: AbortSignal): PatchpanelError {
  return new PatchpanelError('aborted', 'the operation was cancelled', { cause: signal.reason });
}
