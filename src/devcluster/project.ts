import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PatchpanelError } from '../runtime/errors.ts';

/**
 * The project's top directory, found from this program upward: it runs from the sources and from dist/.
 * @throws PatchpanelError `not-found` when the program was moved out of the project
 */
export function projectRoot(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(directory, 'deploy', 'images'))) {
    const parent = path.dirname(directory);
    if (parent === directory)
      throw new PatchpanelError('not-found', 'the dev cluster runs from a clone of the project only');
    directory = parent;
  }
  return directory;
}
