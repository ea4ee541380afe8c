import winston from 'winston';

/** One request that meant to change something. */
export interface AuditEntry {
  /** The user, or `-` where users are not known. */
  readonly who: string;
  /** The address that the request came from. */
  readonly from: string;
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** What was answered. */
  readonly status: number;
  /** The deployment that it began. */
  readonly deployment?: string;
}

/** Who changed what and when. Bodies are not in it: they may hold secrets. */
export interface AuditLog {
  write(entry: AuditEntry): void;
  close(): Promise<void>;
}

/** Kept of the log, at most. */
const maxFileBytes = 10 * 1024 * 1024;
const maxFiles = 10;

/** An audit log of JSON lines in a file, rotated by size. */
export function openAuditLog(file: string): AuditLog {
  const transport = new winston.transports.File({
    filename: file,
    maxsize: maxFileBytes,
    maxFiles,
    tailable: true,
    options: { flags: 'a', mode: 0o600 },
  });
  const backend = winston.createLogger({
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [transport],
  });
  return {
    write: (entry) => void backend.info('change', entry),
    close: () =>
      new Promise((resolve) => {
        transport.once('finish', () => resolve());
        backend.end();
      }),
  };
}

/** For schedulers that keep none. */
export const noAuditLog: AuditLog = { write: () => undefined, close: () => Promise.resolve() };
