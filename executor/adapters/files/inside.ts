import { constants } from 'node:fs';
import { lstat, mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, PatchpanelError } from '../../../src/runtime/errors.ts';

/**
 * Opens a file below `root` for writing, making the directories on the way. No part of the way may be a symbolic link:
 * an archive must not lead out of the sandbox.
 * @throws PatchpanelError `invalid` when the way leads elsewhere
 */
export async function openInside(root: string, relative: string, mode: number): Promise<FileHandle> {
  const directory = await makeInside(root, path.dirname(relative));
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  try {
    const file = await open(path.join(directory, path.basename(relative)), flags, mode);
    await file.chmod(mode);
    return file;
  } catch (cause) {
    if (codeOf(cause) !== 'ELOOP') throw cause;
    throw new PatchpanelError('invalid', `${relative} is a symbolic link in the sandbox`, { cause });
  }
}

/** Makes a directory below `root`; see openInside. Gives its path. */
export async function makeInside(root: string, relative: string): Promise<string> {
  let directory = root;
  for (const part of relative.split('/').filter((each) => each !== '' && each !== '.')) {
    if (part === '..') throw new PatchpanelError('invalid', `${relative} leads out of the sandbox`);
    directory = path.join(directory, part);
    await makeOne(directory, relative);
  }
  return directory;
}

async function makeOne(directory: string, relative: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    if ((await lstat(directory)).isDirectory()) return;
    throw new PatchpanelError('invalid', `${relative} leads over something that is no directory`);
  }
}
