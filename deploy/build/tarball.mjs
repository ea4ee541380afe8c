import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Header } from 'tar';

const compress = promisify(gzip);

/** The two empty blocks that end a tar archive. */
export const endOfTar = Buffer.alloc(1024);

/** The 512-byte header of a file; owner and times are fixed so that the same content gives the same bytes. */
export function tarEntry(path, mode, size) {
  const header = new Header({
    path,
    mode,
    size,
    type: 'File',
    uid: 0,
    gid: 0,
    uname: 'root',
    gname: 'root',
    mtime: new Date(0),
  });
  const block = Buffer.alloc(512);
  header.encode(block, 0);
  return block;
}

/** A gzip member; members may be joined to one stream. */
export const gzipped = (content) => compress(content, { level: 6 });
