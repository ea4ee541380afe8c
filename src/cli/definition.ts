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

/** `web` → `/web`, and no doubled slashes. */
export const pathOf = (id: string): string => `/${id.split('/').filter(Boolean).join('/')}`;
