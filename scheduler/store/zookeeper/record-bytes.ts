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

/** A node takes 1,048,575 bytes (jute.maxbuffer) with everything that comes along in a request. */
const maxPieceBytes = 900_000;

/** Begins a node that holds the first piece of a record; neither JSON nor gzip begins so. */
const piecesMark = 0x01;

/** Before the first piece: the mark, and how many pieces follow. */
const headBytes = 3;

/** What the nodes of an encoded record hold: its own one, and those of further pieces where it does not fit into it. */
export function piecesOf(record: Buffer): readonly [Buffer, ...Buffer[]] {
  if (record.length <= maxPieceBytes) return [record];
  const count = Math.ceil(record.length / maxPieceBytes);
  const piece = (n: number) => record.subarray(n * maxPieceBytes, (n + 1) * maxPieceBytes);
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(piecesMark);
  head.writeUInt16BE(count - 1, 1);
  const further = Array.from({ length: count - 1 }, (_, n) => piece(n + 1));
  return [Buffer.concat([head, piece(0)]), ...further];
}

/**
 * The encoded record that begins with this node's bytes.
 * @param further reads the piece of that number, counted from 1
 */
export async function joinPieces(
  first: Buffer,
  further: (piece: number) => Promise<Buffer>,
): Promise<Buffer> {
  if (first[0] !== piecesMark) return first;
  const count = first.readUInt16BE(1);
  const rest = Array.from({ length: count }, (_, n) => further(n + 1));
  return Buffer.concat([first.subarray(headBytes), ...(await Promise.all(rest))]);
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
