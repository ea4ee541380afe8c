import type { FileHandle } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';

/**
 * Writes a stream into a file from its beginning, however long it was. The handle stays the caller's, for which Node's
 * own stream of a handle has no end that `pipeline` would see.
 * @param onBytes told how many bytes have come; what it throws ends the copy
 */
export async function writeStream(
  body: Readable,
  file: FileHandle,
  signal: AbortSignal,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<void> {
  await file.truncate(0);
  let position = 0;
  for await (const chunk of addAbortSignal(signal, body) as AsyncIterable<Buffer>) {
    onBytes(position + chunk.length);
    for (let written = 0; written < chunk.length;) {
      const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position);
      written += bytesWritten;
      position += bytesWritten;
    }
  }
}
