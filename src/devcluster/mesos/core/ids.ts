import { uuidText } from '../../../mesos/uuid.ts';

/** A random version-4 UUID (RFC 4122) as 16 bytes; `random` gives numbers in [0, 1). */
export function randomUuid(random: () => number): Uint8Array {
  const bytes = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes;
}

/** The same as text, `xxxxxxxx-xxxx-4xxx-…`: ids of masters, containers and streams. */
export const randomUuidText = (random: () => number): string => uuidText(randomUuid(random));

export const frameworkIdAt = (masterId: string, index: number): string =>
  `${masterId}-${String(index).padStart(4, '0')}`;
export const agentIdAt = (masterId: string, index: number): string => `${masterId}-S${index}`;
export const offerIdAt = (masterId: string, index: number): string => `${masterId}-O${index}`;
