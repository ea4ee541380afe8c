import { text } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { codeOf } from '../runtime/errors.ts';
import { roles, type Role } from '../security/roles.ts';
import { hashPassword, hashToken, newToken } from '../security/secrets.ts';
import { readUserFile, writeUserFile, type User } from '../security/user-file.ts';
import { CliError, exitCodes, type GlobalOptions } from './client.ts';
import { print, table } from './output.ts';

interface AddOptions extends GlobalOptions {
  readonly role: Role;
  readonly passwordStdin: boolean;
}

/** `patchpanel user …`: the file of those who may use the API. */
export function userCommand(): Command {
  const user = new Command('user');
  user
    .command('add <file> <name>')
    .description('add a user or replace one; prints a new token, which is not kept anywhere')
    .addOption(new Option('--role <role>', 'what the user may do').choices(roles).makeOptionMandatory())
    .option('--password-stdin', 'take a password from standard input instead of making a token', false)
    .action((file: string, name: string, _options, command: Command) =>
      add(file, name, command.optsWithGlobals()),
    );
  user
    .command('remove <file> <name>')
    .description('remove a user')
    .action((file: string, name: string) => remove(file, name));
  user
    .command('list <file>')
    .description('list the users')
    .action((file: string, _options, command: Command) => list(file, command.optsWithGlobals()));
  return user;
}

async function add(file: string, name: string, options: AddOptions): Promise<void> {
  const token = options.passwordStdin ? undefined : newToken();
  const secret =
    token === undefined
      ? { password: await hashPassword(await passwordFromStdin()) }
      : { token: hashToken(token) };
  const others = (await usersOf(file)).filter((user) => user.name !== name);
  await writeUserFile(file, [...others, { name, role: options.role, ...secret }]);
  if (token !== undefined) print(options.json, { name, role: options.role, token }, () => token);
}

async function remove(file: string, name: string): Promise<void> {
  const users = await readUserFile(file);
  const others = users.filter((user) => user.name !== name);
  if (others.length === users.length) {
    throw new CliError(
      exitCodes.notFound,
      `${file} has no user ${name}; \`patchpanel user list ${file}\` shows them`,
    );
  }
  await writeUserFile(file, others);
}

async function list(file: string, options: GlobalOptions): Promise<void> {
  const users = (await readUserFile(file)).map(({ name, role, password }) => ({
    name,
    role,
    by: password === undefined ? 'token' : 'password',
  }));
  print(options.json, users, () =>
    table(
      ['NAME', 'ROLE', 'BY'],
      users.map(({ name, role, by }) => [name, role, by]),
      'no users',
    ),
  );
}

/** The users so far; none when the file is yet to be made. */
async function usersOf(file: string): Promise<readonly User[]> {
  try {
    return await readUserFile(file);
  } catch (error) {
    if (codeOf(error) === 'not-found') return [];
    throw error;
  }
}

async function passwordFromStdin(): Promise<string> {
  const password = (await text(process.stdin)).replace(/\r?\n$/, '');
  if (password.length >= 8) return password;
  throw new CliError(exitCodes.usage, 'give a password of at least 8 characters on standard input');
}
