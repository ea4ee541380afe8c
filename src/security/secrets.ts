import { createHash, randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { PatchpanelError } from '../runtime/errors.ts';

/** Cost of a password: 2^15 rounds of 8 blocks are 32 MiB and about a tenth of a second (RFC 7914). */
const cost = { N: 2 ** 15, r: 8, p: 1 };
const maxMemoryBytes = 64 * 1024 * 1024;
const keyBytes = 32;
const saltBytes = 16;

const passwordHash = /^scrypt\$(\d{4,7})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;
const tokenHash = /^sha256\$[0-9a-f]{64}$/;

/** A password as it is stored: `scrypt$N$r$p$salt$key`, salt and key in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const key = await derive(password, salt, keyBytes, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), key.toString('base64')].join('$');
}

/** Whether this is a password's hash that verifyPassword() takes. */
export const isPasswordHash = (text: string): boolean => passwordHash.test(text);

/**
 * Whether the password is the one that was hashed; takes as long when it is not.
 * @throws PatchpanelError `invalid` when `hash` is none
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, N, r, p, salt = '', key = ''] = passwordHash.exec(hash) ?? [];
  if (N === undefined) throw new PatchpanelError('invalid', 'this is not the hash of a password');
  const wanted = Buffer.from(key, 'base64');
  const options = { N: Number(N), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt, 'base64'), wanted.length, options);
  return timingSafeEqual(derived, wanted);
}

/** A new token: 256 random bits, so a plain hash of it is safe to keep. */
export const newToken = (): string => randomBytes(32).toString('base64url');

/** A token as it is stored: `sha256$hex`. */
export const hashToken = (token: string): string =>
  `sha256$${createHash('sha256').update(token).digest('hex')}`;

export const isTokenHash = (text: string): boolean => tokenHash.test(text);

function derive(password: string, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { ...options, maxmem: maxMemoryBytes }, (error, key) => {
      if (error === null) resolve(key);
      else
        reject(new PatchpanelError('invalid', `cannot hash a password: ${error.message}`, { cause: error }));
    });
  });
}
