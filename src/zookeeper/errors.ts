import { PatchpanelError, type ErrorCode } from '../runtime/errors.ts';

/** What ZooKeeper says, in our words. */
export type ZooKeeperReason =
  | 'connection-loss'
  | 'no-node'
  | 'no-auth'
  | 'bad-version'
  | 'node-exists'
  | 'not-empty'
  | 'session-expired'
  | 'session-moved'
  | 'auth-failed'
  | 'other';

/** The numbers of the protocol (KeeperException.Code). */
const reasons: Readonly<Record<number, ZooKeeperReason>> = {
  [-4]: 'connection-loss',
  [-101]: 'no-node',
  [-102]: 'no-auth',
  [-103]: 'bad-version',
  [-110]: 'node-exists',
  [-111]: 'not-empty',
  [-112]: 'session-expired',
  [-115]: 'auth-failed',
  [-118]: 'session-moved',
};

const codes: Readonly<Record<ZooKeeperReason, ErrorCode>> = {
  'connection-loss': 'unavailable',
  'no-node': 'not-found',
  'no-auth': 'denied',
  'bad-version': 'conflict',
  'node-exists': 'conflict',
  'not-empty': 'conflict',
  'session-expired': 'aborted',
  'session-moved': 'unavailable',
  'auth-failed': 'denied',
  other: 'external',
};

/** A request that ZooKeeper did not grant, or of which nothing is known because the connection was lost. */
export class ZooKeeperError extends PatchpanelError {
  readonly reason: ZooKeeperReason;

  constructor(reason: ZooKeeperReason, message: string, cause?: unknown) {
    super(codes[reason], message, { cause });
    this.reason = reason;
  }
}

/** Why ZooKeeper said no; undefined for every other error. */
export const reasonOf = (error: unknown): ZooKeeperReason | undefined =>
  error instanceof ZooKeeperError ? error.reason : undefined;

/** The error of an answer with this number. */
export function refusal(code: number, request: string): ZooKeeperError {
  const reason = reasons[code] ?? 'other';
  const words = reason === 'other' ? `error ${code}` : reason.replaceAll('-', ' ');
  return new ZooKeeperError(reason, `ZooKeeper: ${request}: ${words}`);
}
