import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '../../../src/runtime/errors.ts';

/** Replaces a file as a whole; everybody may read it, whatever our umask is: dnsmasq runs as a user of its own. */
export async function writePublic(
  file: string,
  text: string,
  workDirectory = path.dirname(file),
): Promise<void> {
  const draft = path.join(workDirectory, `.${path.basename(file)}.new`);
  await writeFile(draft, text);
  await chmod(draft, 0o644);
  await rename(draft, file);
}

/** The text of a file; undefined when there is none. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
