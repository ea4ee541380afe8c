import { Header } from 'tar';

/** One entry of an image's file system; directories come from the paths. */
export type ArchiveEntry =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly content: Buffer }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number };

const blockSize = 512;

/** A tar archive in memory. Owner and times are fixed: the same entries give the same bytes. */
export function tarArchive(entries: readonly ArchiveEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBlocks), Buffer.alloc(2 * blockSize)]);
}

function entryBlocks(entry: ArchiveEntry): readonly Buffer[] {
  switch (entry.kind) {
    case 'file': {
      const padding = Buffer.alloc((blockSize - (entry.content.length % blockSize)) % blockSize);
      const { path, mode, content } = entry;
      return [header({ path, mode, type: 'File', size: content.length }), content, padding];
    }
    case 'symlink':
      return [
        header({ path: entry.path, mode: 0o777, type: 'SymbolicLink', size: 0, linkpath: entry.target }),
      ];
    case 'directory':
      return [header({ path: `${entry.path}/`, mode: entry.mode, type: 'Directory', size: 0 })];
  }
}

interface HeaderFields {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly type: 'File' | 'SymbolicLink' | 'Directory';
  readonly linkpath?: string;
}

function header(fields: HeaderFields): Buffer {
  const owner = { uid: 0, gid: 0, uname: 'root', gname: 'root', mtime: new Date(0) };
  const block = Buffer.alloc(blockSize);
  new Header({ ...fields, ...owner }).encode(block, 0);
  return block;
}
