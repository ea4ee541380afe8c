import Docker from 'dockerode';
import { PatchpanelError, codeOf, messageOf, type ErrorCode } from '../../../src/runtime/errors.ts';

/**
 * A client for a Docker Engine at `unix:///path`, `tcp://host:port`, `http://` or `https://`.
 * @throws PatchpanelError `invalid` for anything else
 */
export function connectDocker(dockerHost: string): Docker {
  let url: URL;
  try {
    url = new URL(dockerHost);
  } catch (cause) {
    throw invalidHost(dockerHost, cause);
  }
  switch (url.protocol) {
    case 'unix:':
      return new Docker({ socketPath: url.pathname });
    case 'tcp:':
    case 'http:':
      return new Docker({ host: url.hostname, port: url.port || 2375, protocol: 'http' });
    case 'https:':
      return new Docker({ host: url.hostname, port: url.port || 2376, protocol: 'https' });
    default:
      throw invalidHost(dockerHost);
  }
}

const invalidHost = (text: string, cause?: unknown) =>
  new PatchpanelError(
    'invalid',
    `DOCKER_HOST ${JSON.stringify(text)} is neither unix:///path nor tcp://host:port`,
    {
      cause,
    },
  );

/** The HTTP status of an error answer of Docker's, if it is one. */
export function statusOf(thrown: unknown): number | undefined {
  if (thrown === null || typeof thrown !== 'object' || !('statusCode' in thrown)) return undefined;
  return typeof thrown.statusCode === 'number' ? thrown.statusCode : undefined;
}

/** Docker's own words in an error, without what the client library puts around them. */
export function dockerWords(thrown: unknown): string {
  if (thrown !== null && typeof thrown === 'object' && 'json' in thrown) {
    const { json } = thrown;
    if (json !== null && typeof json === 'object' && 'message' in json) return String(json.message);
  }
  return messageOf(thrown)
    .replace(/^\(HTTP code \d+\) [a-z ]+ - /, '')
    .trim();
}

/** An error of Docker's as ours: `what` says what was tried. */
export function dockerError(what: string, thrown: unknown): PatchpanelError {
  if (thrown instanceof PatchpanelError) return thrown;
  return new PatchpanelError(codeFor(thrown), `${what}: ${dockerWords(thrown)}`, { cause: thrown });
}

const unreachable: ReadonlySet<string | undefined> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'EACCES',
]);

function codeFor(thrown: unknown): ErrorCode {
  const status = statusOf(thrown);
  if (status === 404) return 'not-found';
  if (status === 409) return 'conflict';
  const code = codeOf(thrown);
  if (code === 'ABORT_ERR') return 'aborted';
  return unreachable.has(code) ? 'unavailable' : 'external';
}
