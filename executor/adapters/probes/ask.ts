import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import net from 'node:net';
import { maxBodyBytes, maxContentType, type HttpResponse } from '../../../src/model/health.ts';
import { messageOf } from '../../../src/runtime/errors.ts';
import type { ProbeOutcome } from '../../core/tasks/health-check.ts';
import type { Finding, Question } from './question.ts';

type HttpProbe = Extract<Question['probe'], { kind: 'http' }>;

const success: ProbeOutcome = { kind: 'success' };
const failure = (cause: string): ProbeOutcome => ({ kind: 'failure', cause });

/** Asks once over the network that this process is in; `onAsked` is called when all that is left is to wait. */
export async function ask(
  { probe, address, timeoutMs }: Question,
  onAsked: () => void = () => undefined,
): Promise<Finding> {
  if (probe.kind === 'tcp') return connect(address, probe.port, timeoutMs, onAsked);
  const { port, path, scheme } = probe;
  const options = { host: address, port, path, agent: false, headers: { connection: 'close' } };
  const answer = await request(scheme, options, timeoutMs, probe.keepsResponse === true, onAsked);
  return { outcome: judge(answer, probe), late: answer.late === true };
}

function connect(host: string, port: number, timeoutMs: number, onAsked: () => void): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const done = (outcome: ProbeOutcome, late = false) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ outcome, late });
    };
    const timer = setTimeout(() => done(failure(`no connection within ${timeoutMs} ms`), true), timeoutMs);
    socket.on('connect', () => done(success));
    socket.on('error', (error) => done(failure(error.message)));
    onAsked();
  });
}

/** The answer, or why there is none; `informed`: the last informational status before that. */
interface Answer {
  readonly status?: number;
  /** Where it is kept. */
  readonly response?: HttpResponse;
  readonly informed?: number;
  readonly problem?: string;
  /** See Finding. */
  readonly late?: boolean;
}

async function request(
  scheme: 'http' | 'https',
  options: RequestOptions,
  timeoutMs: number,
  keeps: boolean,
  onAsked: () => void,
): Promise<Answer> {
  // Loaded when it is needed: TLS costs half of the start.
  const { request: open } = scheme === 'http' ? await import('node:http') : await import('node:https');
  let sent: ClientRequest;
  try {
    sent = open({ ...options, rejectUnauthorized: false });
  } catch (error) {
    return { problem: messageOf(error) };
  }
  return new Promise((resolve) => {
    let informed: { readonly informed?: number } = {};
    const done = (answer: Answer) => {
      clearTimeout(timer);
      sent.destroy();
      resolve({ ...informed, ...answer });
    };
    let soFar = (): Answer => ({ problem: `no answer within ${timeoutMs} ms` });
    const answered = (message: IncomingMessage) => {
      const { statusCode: status } = message;
      if (status === undefined || !keeps) return done(status === undefined ? {} : { status });
      const body = beginningOf(message, () => done(soFar()));
      // The status is there: a body that goes on for ever is cut, not held against the app.
      soFar = () => ({ status, response: { status, contentType: contentTypeOf(message), body: body() } });
    };
    const timer = setTimeout(() => done({ ...soFar(), late: true }), timeoutMs);
    sent.on('information', ({ statusCode }) => (informed = { informed: statusCode }));
    sent.on('response', answered);
    sent.on('upgrade', (message) => {
      answered(message);
      done(soFar());
    });
    sent.on('error', (error) => done({ problem: error.message }));
    sent.end();
    onAsked();
  });
}

const contentTypeOf = ({ headers }: IncomingMessage): string =>
  (headers['content-type'] ?? '').slice(0, maxContentType);

/** The body as far as it has come and is kept, as a function; `onEnd` is called once no more of it is to come. */
function beginningOf(message: IncomingMessage, onEnd: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  message.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxBodyBytes) onEnd();
  });
  message.on('end', onEnd);
  message.on('error', onEnd);
  // As a stream: half of a character at the cut is left out.
  return () => new TextDecoder().decode(Buffer.concat(chunks).subarray(0, maxBodyBytes), { stream: true });
}

function judge(
  { status, informed, problem, response }: Answer,
  { ignore1xx, statuses }: HttpProbe,
): ProbeOutcome {
  const last = status ?? informed;
  if (last === undefined) return failure(problem ?? 'no status');
  if (last < 200 && ignore1xx) return { kind: 'ignored' };
  const good = statuses?.includes(last) ?? (last >= 200 && last < 400);
  return { ...(good ? success : failure(`status ${last}`)), ...(response === undefined ? {} : { response }) };
}
