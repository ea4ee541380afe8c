/** A stream of Docker's that ends with an error when the signal fires, whichever way it was opened. */
export function closeOnAbort(stream: NodeJS.ReadableStream, signal: AbortSignal): AsyncIterable<Buffer> {
  const close = () => {
    if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy(signal.reason);
  };
  if (signal.aborted) close();
  signal.addEventListener('abort', close, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', close));
  return stream as AsyncIterable<Buffer>;
}
