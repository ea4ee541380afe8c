import { PatchpanelError } from '../runtime/errors.ts';
import { reasonOf } from './errors.ts';
import { nodeModes, type Acl } from './messages.ts';
import type { ZooKeeperSession } from './session.ts';

const nothing = Buffer.alloc(0);

/** Makes a node that holds nothing, and those above it, where they are missing. */
export async function ensurePath(
  session: ZooKeeperSession,
  path: string,
  acl: readonly Acl[],
): Promise<void> {
  const parts = path.split('/').slice(1);
  for (let depth = 1; depth <= parts.length; depth += 1) {
    await ensureNode(session, `/${parts.slice(0, depth).join('/')}`, nothing, acl);
  }
}

/** Makes a node unless it is there. */
export async function ensureNode(
  session: ZooKeeperSession,
  path: string,
  data: Buffer,
  acl: readonly Acl[],
): Promise<void> {
  // One that is there may be one in which we must not make anything.
  if (await session.exists(path)) return;
  try {
    await session.create(path, data, acl, nodeModes.persistent);
  } catch (error) {
    if (reasonOf(error) !== 'node-exists') throw error;
  }
}

/** The error, in words that help when the tree is somebody else's. */
export function explainDenied(error: unknown, root: string): unknown {
  if (reasonOf(error) !== 'no-auth') return error;
  return new PatchpanelError(
    'denied',
    `ZooKeeper does not let us into ${root}: give the user and password that it was made with, zk://user:password@…`,
    { cause: error },
  );
}
