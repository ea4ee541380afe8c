import { gunzipSync, gzipSync } from 'node:zlib';
import { messageOf, PatchpanelError } from '../../../src/runtime/errors.ts';

/** Records longer than this are compressed: apps with many variables shrink to a fifth. */
const compressFrom = 8 * 1024;

const gzipMagic = [0x1f, 0x8b] as const;

/** JSON in UTF-8, compressed where it is long. JSON never begins with gzip's magic, so both can be told apart. */
export function encodeRecord(value: unknown): Buffer {
  const plain = Buffer.from(JSON.stringify(value), 'utf8');
  return plain.length < compressFrom ? plain : gzipSync(plain, { level: 1 });
}

/** @throws PatchpanelError `corrupt` that names the node */
export function decodeRecord(bytes: Buffer, path: string): unknown {
  try {
    const compressed = bytes[0] === gzipMagic[0] && bytes[1] === gzipMagic[1];
    return JSON.parse((compressed ? gunzipSync(bytes) : bytes).toString('utf8'));
  } catch (cause) {
    throw new PatchpanelError(
      'corrupt',
      `the node ${path} in ZooKeeper holds no record of ours (${messageOf(cause)}); restore a copy of the state`,
      { cause },
    );
  }
}
