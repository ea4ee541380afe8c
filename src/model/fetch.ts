/** How the content of a file that is to be unpacked is packed. */
export type ArchiveKind = 'tar' | 'tar.bz2' | 'tar.xz' | 'zip';

const suffixes: readonly (readonly [RegExp, ArchiveKind])[] = [
  // Whether it is compressed with gzip is seen in the content.
  [/\.(tar|tgz|tar\.gz)$/i, 'tar'],
  [/\.(tbz2|tar\.bz2)$/i, 'tar.bz2'],
  [/\.(txz|tar\.xz)$/i, 'tar.xz'],
  [/\.zip$/i, 'zip'],
];

/** What a file of this name is taken for, as the Mesos fetcher does; undefined: no archive. */
export const archiveKind = (name: string): ArchiveKind | undefined =>
  suffixes.find(([suffix]) => suffix.test(name))?.[1];

/** Where a URI's content comes from. */
export type FetchSource =
  | { readonly kind: 'http'; readonly url: string; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly name: string }
  | { readonly kind: 'none'; readonly problem: string };

/** Reads the URI of a `fetch` entry: http, https, file or an absolute path. */
export function fetchSource(uri: string): FetchSource {
  const text = uri.startsWith('/') ? `file://${encodeURI(uri)}` : uri;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { kind: 'none', problem: 'URI has invalid syntax.' };
  }
  const path = decoded(url.pathname);
  const name = path?.split('/').findLast((part) => part !== '') ?? '';
  if (path === undefined || name === '' || name === '.' || name === '..') {
    return { kind: 'none', problem: 'URI has invalid syntax: it names no file' };
  }
  switch (url.protocol) {
    case 'http:':
    case 'https:':
      return { kind: 'http', url: uri, name };
    case 'file:':
      return url.host === ''
        ? { kind: 'file', path, name }
        : { kind: 'none', problem: 'URI has invalid syntax: write file:///path' };
    default:
      return { kind: 'none', problem: `${url.protocol}// is not supported: use http, https or file` };
  }
}

/** Why a path is none inside the sandbox, if it is not. */
export function destPathProblem(path: string): string | undefined {
  const parts = path.split('/');
  const inside = path !== '' && !path.startsWith('/') && !path.includes('\0') && !parts.includes('..');
  return inside && !path.endsWith('/') ? undefined : 'must be a relative path of a file inside the sandbox';
}

/** The URI for logs and messages: without what may be a secret. */
export function speakableUri(uri: string): string {
  if (uri.startsWith('/') || !URL.canParse(uri)) return uri;
  const url = new URL(uri);
  url.username = '';
  url.password = '';
  const hidden = url.search === '' ? '' : '?…';
  url.search = '';
  return `${url.href}${hidden}`;
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
