import { stat } from 'node:fs/promises';
import type { Logger } from '../src/runtime/logger.ts';
import type { Config } from './config.ts';

/** The mode's bits for those who are neither owner nor in the group. */
const others = 0o007;

/** Says which of the configured files with secrets everybody on this machine may read or write. */
export async function warnOfOpenFiles({ secretFile, tlsKey, usersFile }: Config, log: Logger): Promise<void> {
  for (const file of [secretFile, tlsKey, usersFile]) {
    if (file !== undefined && (await isOpen(file))) {
      log.warn('everybody on this machine has access to a file with secrets: chmod 600', { file });
    }
  }
}

/** One that is missing is for whoever needs it to complain about. */
async function isOpen(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && (found.mode & others) !== 0;
}
