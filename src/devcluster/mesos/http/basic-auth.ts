import type { IncomingMessage } from 'node:http';
import type { Credential } from '../options.ts';
import type { Answer } from './exchange.ts';

const challenge = { 'WWW-Authenticate': 'Basic realm="mesos-master-scheduler"' };

/** The principal of a request, undefined where nobody needs one, or the answer to one that is not let in. */
export function authenticate(
  request: IncomingMessage,
  credentials: readonly Credential[] | undefined,
): { principal: string | undefined } | { refusal: Answer } {
  if (credentials === undefined) return { principal: undefined };
  const encoded = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const [principal = '', ...secret] = Buffer.from(encoded, 'base64').toString().split(':');
  const isKnown = credentials.some(
    (credential) => credential.principal === principal && credential.secret === secret.join(':'),
  );
  return isKnown ? { principal } : { refusal: { status: 401, headers: challenge } };
}
