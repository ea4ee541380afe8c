import type { FastifyRequest } from 'fastify';
import { encodingOf, type Encoding } from '../../../src/mesos/codec.ts';
import { codeOf, messageOf } from '../../../src/runtime/errors.ts';

/** A request of an executor in our words, or the answer that refuses it. */
export type HostBody<T> =
  | { readonly kind: 'body'; readonly value: T }
  | { readonly kind: 'refused'; readonly status: 400 | 415; readonly message: string };

/** Decodes a body; `problemOf` says what is wrong with what it holds, if anything. */
export function hostBody<T>(
  request: FastifyRequest,
  decode: (body: Uint8Array, encoding: Encoding) => T,
  problemOf: (value: T) => string | undefined = () => undefined,
): HostBody<T> {
  const encoding = encodingOf(request.headers['content-type']);
  if (encoding === undefined) {
    return refused(415, 'the content type must be application/x-protobuf or application/json');
  }
  try {
    const value = decode(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0), encoding);
    const problem = problemOf(value);
    return problem === undefined ? { kind: 'body', value } : refused(400, problem);
  } catch (error) {
    if (codeOf(error) === 'protocol' || codeOf(error) === 'invalid') return refused(400, messageOf(error));
    throw error;
  }
}

const refused = (status: 400 | 415, message: string): HostBody<never> => ({
  kind: 'refused',
  status,
  message,
});
