import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';

const descriptor = 2;

/**
 * Standard error for logs. A line that cannot be written (the disk is full, nobody reads any more) is lost; it never ends
 * the program, whose work goes on.
 */
export function standardError(): Writable {
  const write = isFile() ? writeToFile : writeToReader;
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      write(chunk);
      done();
    },
  });
}

/** Node's own stream would write nothing more after the first failure, also when there is room again. */
function writeToFile(line: Buffer): void {
  try {
    writeSync(descriptor, line);
  } catch {
    // Where should that be told?
  }
}

function writeToReader(line: Buffer): void {
  if (!process.stderr.listeners('error').includes(ignore)) process.stderr.on('error', ignore);
  process.stderr.write(line);
}

function ignore(): void {
  // The reader is gone.
}

function isFile(): boolean {
  try {
    const kind = fstatSync(descriptor);
    return !kind.isFIFO() && !kind.isSocket() && !isatty(descriptor);
  } catch {
    return false;
  }
}
