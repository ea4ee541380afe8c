import { parse } from 'yaml';
import { messageOf, PatchpanelError } from './errors.ts';

/**
 * The settings in a file: YAML, of which JSON is a part, so that a file can hold comments.
 * @throws PatchpanelError `invalid` that names the file and the place
 */
export function parseConfigFile(file: string, text: string): Readonly<Record<string, unknown>> {
  let content: unknown;
  try {
    content = parse(text);
  } catch (cause) {
    throw new PatchpanelError('invalid', `${file} is neither YAML nor JSON: ${messageOf(cause)}`, { cause });
  }
  // Nothing but comments.
  if (content === null || content === undefined) return {};
  if (typeof content === 'object' && !Array.isArray(content)) return content as Record<string, unknown>;
  throw new PatchpanelError('invalid', `${file} must hold settings, each with a name`);
}
