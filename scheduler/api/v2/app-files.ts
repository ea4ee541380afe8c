import { archiveKind, destPathProblem, fetchSource } from '../../../src/model/fetch.ts';
import type { FetchUri } from '../../../src/model/app.ts';
import type { Details } from '../problems.ts';
import type { AppJson } from './app-json.ts';

/** What is to be fetched, from `fetch` or the older `uris`; problems are added by path. */
export function fetchOf(json: AppJson, details: Details): FetchUri[] {
  const uris = json.uris ?? [];
  details.require(
    uris.length === 0 || (json.fetch ?? []).length === 0,
    '/uris',
    'may not be set in conjunction with fetch',
  );
  if (uris.length > 0) {
    return uris.map((uri, index) => {
      checkUri(uri, `/uris(${index})`, details);
      // The older form unpacks what looks like an archive.
      const source = fetchSource(uri);
      const extract = source.kind !== 'none' && archiveKind(source.name) !== undefined;
      return { uri, extract, executable: false, cache: false };
    });
  }
  return (json.fetch ?? []).map(({ uri, extract, executable, cache, destPath }, index) => {
    checkUri(uri, `/fetch(${index})/uri`, details);
    const problem = destPath === undefined ? undefined : destPathProblem(destPath);
    if (problem !== undefined) details.add(`/fetch(${index})/destPath`, problem);
    return {
      uri,
      extract: extract ?? true,
      executable: executable ?? false,
      cache: cache ?? false,
      ...(destPath === undefined ? {} : { destPath }),
    };
  });
}

function checkUri(uri: string, path: string, details: Details): void {
  const source = fetchSource(uri);
  if (source.kind === 'none') details.add(path, source.problem);
}
