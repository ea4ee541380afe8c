import { randomUUID } from 'node:crypto';
import { PatchpanelError } from '../runtime/errors.ts';

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** A fresh random UUID (RFC 4122 version 4) as the 16 bytes of a status update; agents refuse other bytes. */
export function newUuid(): Uint8Array {
  return uuidBytes(randomUUID());
}

/**
 * The 16 bytes of a UUID's text.
 * @throws PatchpanelError `invalid` when the text is not an RFC 4122 UUID
 */
export function uuidBytes(text: string): Uint8Array {
  if (!pattern.test(text)) throw new PatchpanelError('invalid', `${JSON.stringify(text)} is not a UUID`);
  return new Uint8Array(Buffer.from(text.replaceAll('-', ''), 'hex'));
}

/** The text of 16 bytes in lower case; bytes that are no UUID (status updates of others) are written the same way. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Whether these are 16 bytes with the variant and a version of RFC 4122, which is what agents demand. */
export function isUuid(bytes: Uint8Array): boolean {
  return bytes.byteLength === 16 && pattern.test(uuidText(bytes));
}
