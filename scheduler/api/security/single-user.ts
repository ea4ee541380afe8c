import { createHash, timingSafeEqual } from 'node:crypto';
import type { User } from '../../../src/security/user-file.ts';
import type { ApiCredentials } from './credentials.ts';
import type { Authenticator } from './guard.ts';

/** The one user of Marathon's `--http_credentials name:password`, who may do everything. */
export class SingleUser implements Authenticator {
  readonly #user: User;
  readonly #digest: Buffer;

  /** @param credentials `name:password` */
  constructor(credentials: string) {
    this.#user = { name: credentials.slice(0, credentials.indexOf(':')), role: 'admin' };
    this.#digest = digestOf(credentials);
  }

  /** The user, when these are the right name and password; compared in constant time. */
  authenticate(credentials: ApiCredentials): Promise<User | undefined> {
    const given = credentials.kind === 'basic' ? `${credentials.name}:${credentials.password}` : '';
    return Promise.resolve(timingSafeEqual(digestOf(given), this.#digest) ? this.#user : undefined);
  }
}

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
