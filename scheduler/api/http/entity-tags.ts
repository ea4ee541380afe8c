import type { FastifyRequest } from 'fastify';
import type { AppVersion, PathId } from '../../../src/model/ids.ts';
import type { ChangeRequest } from '../../core/events.ts';
import { badRequest, HttpProblem } from '../problems.ts';

/** The entity tag of a definition: its version. Run-time fields (tasks, counts) are not part of it. */
export const entityTag = (version: string): string => `"${version}"`;

/**
 * Holds `If-Match` and `If-None-Match` (RFC 9110 section 13) of a change against the present version of what it
 * changes; undefined: there is none.
 * @throws HttpProblem 412
 */
export function checkPreconditions(request: FastifyRequest, present: string | undefined): void {
  const wanted = request.headers['if-match'];
  if (wanted !== undefined && !matches(wanted, present)) {
    throw new HttpProblem(
      412,
      present === undefined
        ? 'If-Match does not hold: there is nothing of that name'
        : `If-Match does not hold: the present entity tag is ${entityTag(present)}`,
    );
  }
  const unwanted = request.headers['if-none-match'];
  if (unwanted !== undefined && matches(unwanted, present)) {
    throw new HttpProblem(412, 'If-None-Match does not hold: it exists already');
  }
}

/**
 * Holds `If-None-Match: *` of a change of several things against the ids of those that exist.
 * @throws HttpProblem 412 that names them, 400 for a tag, which is one thing's
 */
export function checkNoneExist(request: FastifyRequest, existing: readonly string[]): void {
  const unwanted = request.headers['if-none-match'];
  if (unwanted === undefined) return;
  if (unwanted.trim() !== '*') throw badRequest('If-None-Match of several can only be *');
  if (existing.length === 0) return;
  throw new HttpProblem(412, `these exist already: ${existing.join(', ')}; If-None-Match does not hold`);
}

/** With `If-Match` a change is for the version that was checked and no later one. */
export const pinnedTo = (
  request: FastifyRequest,
  id: PathId,
  version: AppVersion | undefined,
): ChangeRequest['basedOn'] =>
  request.headers['if-match'] === undefined ? undefined : new Map([[id, version]]);

function matches(header: string, present: string | undefined): boolean {
  if (present === undefined) return false;
  return header.split(',').some((tag) => ['*', entityTag(present)].includes(tag.trim()));
}
