import { chown, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { PatchpanelError } from '../../../runtime/errors.ts';

/**
 * What to put before a command line so that it runs as this user, who gets the sandbox; nothing for the own user.
 * @throws PatchpanelError `not-found` when there is no such user
 */
export async function runAs(user: string, sandbox: string): Promise<readonly string[]> {
  if (user === userInfo().username) return [];
  const entry = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === user);
  if (entry === undefined)
    throw new PatchpanelError('not-found', `Failed to get user information for '${user}'`);
  const [uid, gid] = [Number(entry[2]), Number(entry[3])];
  await chown(sandbox, uid, gid);
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
}
