import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { wrongShape } from '../problems.ts';
import { queryValues } from '../request.ts';

/** Digits and nothing else: nothing at all is no number. */
const count = z.preprocess(
  (text) => (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text),
  z.int().min(0),
);

/** What any list can be asked for; who asks for none of it gets everything, as from Marathon. */
export const listingQuery = z.object({
  limit: count.optional().describe('at most this many'),
  offset: count.optional().describe('without the first ones'),
  fields: z
    .string()
    .optional()
    .describe('only these fields of each, divided by commas, for example id,instances'),
});

/** A part of a list, and which fields of it. */
export interface Listing {
  readonly limit: number;
  readonly offset: number;
  /** Undefined: all. */
  readonly fields: ReadonlySet<string> | undefined;
}

/** Reads the query. @throws HttpProblem 422 that names the parameter */
export function listingOf(request: FastifyRequest): Listing {
  const given = Object.keys(listingQuery.shape).flatMap((name) => {
    const values = queryValues(request, name);
    return values.length === 0 ? [] : [[name, values.join(',')] as const];
  });
  const result = listingQuery.safeParse(Object.fromEntries(given), { reportInput: true });
  if (!result.success) throw wrongShape(result.error);
  const { limit = Number.POSITIVE_INFINITY, offset = 0, fields } = result.data;
  return { limit, offset, fields: fields === undefined ? undefined : new Set(fields.split(',')) };
}

/** The part of the list that was asked for; a header tells how many there are in all. */
export function pageOf<T>(
  items: readonly T[],
  { limit, offset }: Listing,
  reply: FastifyReply,
): readonly T[] {
  reply.header('X-Total-Count', items.length);
  return offset === 0 && limit >= items.length ? items : items.slice(offset, offset + limit);
}

/** The fields that were asked for, in the order of the item. */
export function picked(
  item: Readonly<Record<string, unknown>>,
  { fields }: Listing,
): Readonly<Record<string, unknown>> {
  if (fields === undefined) return item;
  const some: Record<string, unknown> = {};
  for (const name of Object.keys(item)) if (fields.has(name)) some[name] = item[name];
  return some;
}
