import { createHash, randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Clock } from '../../../src/runtime/clock.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { hashPassword, hashToken, newToken, verifyPassword } from '../../../src/security/secrets.ts';
import { readUserFile, type User } from '../../../src/security/user-file.ts';
import type { ApiCredentials } from './credentials.ts';
import type { Authenticator } from './guard.ts';

/** How long a change of the file may go unnoticed, milliseconds. */
const recheckMs = 1_000;
/** Passwords that were right, remembered so that a busy client costs one hash and not one a request. */
const maxRemembered = 256;

/**
 * The users of a file, which is read again when it changes.
 * INVARIANTS: a file that cannot be used leaves the users as they were; no password is kept, only a keyed hash of
 * those that were right, and not beyond a change of the file.
 */
export class UserDirectory implements Authenticator {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pepper = randomBytes(32);
  readonly #right = new Map<string, User>();
  /** What a name that nobody has is checked against, so that it takes as long. */
  readonly #nobody: string;
  #users: readonly User[];
  #stamp: string;
  #checkedAt: number;

  private constructor(file: string, clock: Clock, log: Logger, loaded: Loaded, nobody: string) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
    this.#users = loaded.users;
    this.#stamp = loaded.stamp;
    this.#checkedAt = clock.now();
    this.#nobody = nobody;
  }

  /** @throws PatchpanelError `not-found` or `invalid` as readUserFile() */
  static async open(file: string, clock: Clock, log: Logger): Promise<UserDirectory> {
    return new UserDirectory(file, clock, log, await load(file), await hashPassword(newToken()));
  }

  /** Whose credentials these are; undefined when nobody's. */
  async authenticate(credentials: ApiCredentials): Promise<User | undefined> {
    await this.#refresh();
    if (credentials.kind === 'bearer') {
      const hash = hashToken(credentials.token);
      return this.#users.find(({ token }) => token === hash);
    }
    return this.#byPassword(credentials.name, credentials.password);
  }

  async #byPassword(name: string, password: string): Promise<User | undefined> {
    const key = createHash('sha256').update(this.#pepper).update(`${name}:${password}`).digest('base64');
    const remembered = this.#right.get(key);
    if (remembered !== undefined) return remembered;
    const users = this.#users;
    const user = users.find((one) => one.name === name);
    const right = await verifyPassword(password, user?.password ?? this.#nobody);
    if (!right || user?.password === undefined) return undefined;
    if (users === this.#users) this.#remember(key, user);
    return user;
  }

  #remember(key: string, user: User): void {
    if (this.#right.size >= maxRemembered) this.#right.clear();
    this.#right.set(key, user);
  }

  async #refresh(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#checkedAt < recheckMs) return;
    this.#checkedAt = now;
    try {
      if ((await stampOf(this.#file)) === this.#stamp) return;
      const { users, stamp } = await load(this.#file);
      this.#users = users;
      this.#stamp = stamp;
      this.#right.clear();
      this.#log.info('the users were read again', { file: this.#file, users: users.length });
    } catch (error) {
      this.#log.error('the users cannot be read; those known so far stay', { file: this.#file, error });
    }
  }
}

interface Loaded {
  readonly users: readonly User[];
  /** Tells whether the file is still the one that was read. */
  readonly stamp: string;
}

async function load(file: string): Promise<Loaded> {
  // The stamp first: a file that is replaced in between is read once more, never once too few.
  const stamp = await stampOf(file).catch(() => '');
  return { users: await readUserFile(file), stamp };
}

async function stampOf(file: string): Promise<string> {
  const { mtimeMs, ino, size } = await stat(file);
  return `${ino}/${size}/${mtimeMs}`;
}
