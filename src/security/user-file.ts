import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf, messageOf, PatchpanelError } from '../runtime/errors.ts';
import { roles } from './roles.ts';
import { isPasswordHash, isTokenHash } from './secrets.ts';

const user = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'must be letters, digits and ._@-, 64 at most'),
    role: z.enum(roles),
    /** For HTTP basic authentication. */
    password: z.string().refine(isPasswordHash, 'must be a hash that `patchpanel user add` made').optional(),
    /** For a bearer token. */
    token: z.string().refine(isTokenHash, 'must be a hash that `patchpanel user add` made').optional(),
  })
  .refine(
    ({ password, token }) => password !== undefined || token !== undefined,
    'has neither password nor token',
  );

const userFile = z
  .strictObject({ users: z.array(user).max(10_000) })
  .refine(({ users }) => new Set(users.map(({ name }) => name)).size === users.length, 'a name occurs twice');

/** Somebody who may use the API; secrets only as hashes. */
export type User = z.infer<typeof user>;

/**
 * The users in the file.
 * @throws PatchpanelError `not-found` without the file, `invalid` that names what is wrong in it
 */
export async function readUserFile(file: string): Promise<readonly User[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const code = codeOf(cause) === 'ENOENT' ? 'not-found' : 'invalid';
    throw new PatchpanelError(code, `cannot read the users in ${file}: ${messageOf(cause)}`, { cause });
  }
  return checked(file, parseJson(file, text));
}

/**
 * Replaces the file as a whole; only its owner can read it.
 * @throws PatchpanelError `invalid` for users that could not be read back; the file stays as it is
 */
export async function writeUserFile(file: string, users: readonly User[]): Promise<void> {
  checked(file, { users });
  await writeFile(`${file}.new`, `${JSON.stringify({ users }, null, 2)}\n`, { mode: 0o600 });
  // A file that was there keeps its mode when written.
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
}

function checked(file: string, content: unknown): readonly User[] {
  const parsed = userFile.safeParse(content);
  if (parsed.success) return parsed.data.users;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the file' : issue.path.join('.');
  throw new PatchpanelError('invalid', `${file}: ${where}: ${issue?.message ?? ''}`);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PatchpanelError('invalid', `${file} is not JSON: ${messageOf(cause)}`, { cause });
  }
}
