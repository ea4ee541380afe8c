import type { IncomingMessage } from 'node:http';
import type { ExecutorCall, SchedulerCall } from '../../../../proto/mesos.gen.ts';
import { contentTypes, encodingOf, mesosCodec, type Encoding } from '../../../mesos/codec.ts';
import { messageOf, PatchpanelError } from '../../../runtime/errors.ts';
import { readBody, type Answer } from './exchange.ts';

interface Calls {
  readonly SchedulerCall: SchedulerCall;
  readonly ExecutorCall: ExecutorCall;
}

const acceptProblem = `Expecting 'Accept' to allow '${contentTypes.protobuf}' or '${contentTypes.json}'`;

/** The call in a request's body, or the answer to one that is malformed: method, type and body in Mesos's order. */
export async function readCall<Name extends keyof Calls>(
  request: IncomingMessage,
  name: Name,
): Promise<{ call: Calls[Name] } | { refusal: Answer }> {
  if (request.method !== 'POST') return { refusal: wrongMethod(request.method ?? '', 'POST') };
  const contentType = request.headers['content-type'];
  if (contentType === undefined) {
    return { refusal: { status: 400, body: "Expecting 'Content-Type' to be present" } };
  }
  const encoding = encodingOf(contentType);
  if (encoding === undefined) {
    const body = `Expecting 'Content-Type' of ${contentTypes.json} or ${contentTypes.protobuf}`;
    return { refusal: { status: 415, body } };
  }
  try {
    const bytes = await readBody(request);
    try {
      return { call: mesosCodec.decode(name, bytes, encoding) };
    } catch (error) {
      return { refusal: { status: 400, body: describe(error, encoding, bytes.toString()) } };
    }
  } catch (error) {
    return { refusal: { status: 400, body: messageOf(error) } };
  }
}

/** The encoding that the answer to a SUBSCRIBE may have; JSON wins where both may be. */
export function acceptedEncoding(accept: string | undefined): { encoding: Encoding } | { refusal: Answer } {
  const ranges = (accept ?? '*/*')
    .split(',')
    .map((part) => part.trim().split(';'))
    .filter(([, ...parameters]) => !parameters.some((parameter) => /^\s*q=0(\.0*)?\s*$/.test(parameter)))
    .map(([type = '']) => type.trim());
  for (const encoding of ['json', 'protobuf'] as const) {
    if (ranges.some((range) => [contentTypes[encoding], 'application/*', '*/*'].includes(range))) {
      return { encoding };
    }
  }
  return { refusal: { status: 406, body: acceptProblem } };
}

export function wrongMethod(method: string, expected: string): Answer {
  const body = `405 Method Not Allowed. Expecting one of { '${expected}' }, but received '${method}'.`;
  return { status: 405, body, headers: { Allow: expected } };
}

function describe(error: unknown, encoding: Encoding, text: string): string {
  if (encoding === 'protobuf') return 'Failed to parse body into Call protobuf';
  const cause = error instanceof PatchpanelError ? error.cause : error;
  if (cause instanceof PatchpanelError) return `Failed to convert JSON into Call protobuf: ${cause.message}`;
  return `Failed to parse body into JSON: ${syntaxError(messageOf(cause), text)}`;
}

/** Where the text stops being JSON, in the words of Mesos's parser as far as the engine's message tells. */
function syntaxError(message: string, text: string): string {
  const position = /at position (\d+)/.exec(message)?.[1];
  const token = /^Unexpected token '?(.)/u.exec(message)?.[1];
  const at = position === undefined ? Math.max(0, text.indexOf(token ?? '')) : Number(position);
  const line = text.slice(0, at).split('\n').length;
  return `syntax error at line ${line} near: ${text.slice(at, at + 80).split('\n')[0]}`;
}
