import winston from 'winston';
import { standardError } from './standard-error.ts';

/** Fields of one log line; errors are serialised with message, code, stack and cause. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the programs log with: a static message and fields, one line for each state change. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each of its lines. */
  child(fields: LogFields): Logger;
  /** False when a debug line would be thrown away: guard costly fields in hot code with it. */
  readonly debugEnabled: boolean;
}

/** Which lines are written, and how to change that while the program runs. */
export interface LogLevelControl {
  readonly level: LogLevel;
  setLevel(level: LogLevel): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** An error as plain data, causes included; anything else as it is. */
export function serialiseError(value: unknown, depth = 0): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (!('message' in value && 'stack' in value)) return value;
  const error = value as Error & { code?: unknown; context?: unknown };
  return {
    message: error.message,
    ...(error.code === undefined ? {} : { code: error.code }),
    ...(error.context === undefined ? {} : { context: error.context }),
    stack: error.stack,
    ...(error.cause === undefined || depth > 4 ? {} : { cause: serialiseError(error.cause, depth + 1) }),
  };
}

const serialiseErrors = winston.format((info) => {
  for (const [key, value] of Object.entries(info)) info[key] = serialiseError(value);
  return info;
});

/** A logger that writes JSON lines to standard error, so that standard output stays for results. */
export function createLogger(
  program: string,
  level: LogLevel,
  stream: NodeJS.WritableStream = standardError(),
): Logger & LogLevelControl {
  const backend = winston.createLogger({
    level: level === 'silent' ? 'error' : level,
    silent: level === 'silent',
    defaultMeta: { program },
    format: winston.format.combine(serialiseErrors(), winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Stream({ stream })],
  });
  return {
    ...wrap(backend),
    get debugEnabled() {
      return backend.isDebugEnabled();
    },
    get level() {
      return backend.silent ? 'silent' : (backend.level as LogLevel);
    },
    setLevel: (wanted) => {
      backend.silent = wanted === 'silent';
      if (wanted !== 'silent') backend.level = wanted;
    },
  };
}

function wrap(backend: winston.Logger): Logger {
  // winston formats lines of every level, and throws those away afterwards that nobody wants.
  const writer = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    if (!backend.silent && backend.isLevelEnabled(level)) backend[level](message, fields);
  };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    child: (fields) => wrap(backend.child(fields)),
    get debugEnabled() {
      return backend.isDebugEnabled();
    },
  };
}
