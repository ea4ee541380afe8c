import { z } from 'zod';
import type { Access } from '../security/access.ts';

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

/** One answer of an operation; without a schema it has no body worth describing. */
export interface Answer {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` unless told. */
  readonly type?: string;
}

/**
 * What the API's description tells of one method of one path. A parameter that may hold slashes (the id of an app) is
 * one parameter all the same.
 */
export interface Operation {
  readonly method: Method;
  /** `/v2/apps/{appId}/versions` */
  readonly path: string;
  readonly summary: string;
  readonly access?: Access;
  readonly query?: z.ZodObject;
  /** The very schema that checks it. */
  readonly body?: z.ZodType;
  readonly answers: Readonly<Record<number, Answer>>;
}

/** Schemas that are described once, under their name. */
export const named = z.registry<{ readonly id: string }>();

/** Gives a schema a name. */
export function name<T extends z.ZodType>(id: string, schema: T): T {
  named.add(schema, { id });
  return schema;
}
