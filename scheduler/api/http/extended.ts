import type { FastifyRequest } from 'fastify';

/** What clients ask for that want what Marathon does not have. */
const ownType = 'application/vnd.patchpanel+json';

/**
 * Whether an answer may hold what Marathon's does not (the slot of a task, the role of a queued app). Clients that
 * ask for `application/json` and nothing else get Marathon's fields alone: some (Debian's python3-marathon) fail at
 * a field that they do not know.
 */
export function wantsExtensions(request: FastifyRequest): boolean {
  const { accept } = request.headers;
  if (accept === undefined) return true;
  const types = accept.split(',').map((part) => part.split(';')[0]?.trim().toLowerCase());
  return types.includes(ownType) || types.includes('*/*') || !types.includes('application/json');
}
