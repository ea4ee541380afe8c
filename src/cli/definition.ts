import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { codeOf, messageOf } from '../runtime/errors.ts';
import { CliError, exitCodes } from './client.ts';

/** A JSON file, or standard input for `-`. @throws CliError 2 that names the file and the place of the error */
export async function readJson(file: string): Promise<unknown> {
  const name = file === '-' ? 'standard input' : file;
  let content: string;
  try {
    content = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new CliError(exitCodes.usage, `cannot read ${name}: ${why}`);
  }
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new CliError(exitCodes.usage, `${name} is not JSON: ${messageOf(error)}`);
  }
}

/** The same for a file that must hold one JSON object. @throws CliError 2 */
export async function readJsonObject(file: string): Promise<Readonly<Record<string, unknown>>> {
  const json = await readJson(file);
  if (json !== null && typeof json === 'object' && !Array.isArray(json))
    return json as Readonly<Record<string, unknown>>;
  throw new CliError(exitCodes.usage, `${file === '-' ? 'standard input' : file} is not a JSON object`);
}

/** `NAME=value` pairs. @throws CliError 2 */
export function parsePairs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new CliError(exitCodes.usage, `'${pair}' is not NAME=value`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** A group's id as part of a URL: the same, and nothing for the root. */
export const groupPathOf = (id: string): string => (/^\/*$/.test(id) ? '' : pathOf(id));

/** An app's id as part of a URL: `web` → `/web`, no doubled slashes. @throws CliError 2 for an id without a name */
export function pathOf(id: string): string {
  const parts = id.split('/').filter(Boolean);
  if (parts.length === 0) throw new CliError(exitCodes.usage, `'${id}' is not the id of an app`);
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}
