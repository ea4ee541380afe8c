import type { ClientRequest, RequestOptions } from 'node:http';
import net from 'node:net';
import { messageOf } from '../../../src/runtime/errors.ts';
import type { ProbeOutcome } from '../../core/tasks/health-check.ts';
import type { Question } from './question.ts';

type HttpProbe = Extract<Question['probe'], { kind: 'http' }>;

const success: ProbeOutcome = { kind: 'success' };
const failure = (cause: string): ProbeOutcome => ({ kind: 'failure', cause });

/** Asks once over the network that this process is in. */
export async function ask({ probe, address, timeoutMs }: Question): Promise<ProbeOutcome> {
  if (probe.kind === 'tcp') return connect(address, probe.port, timeoutMs);
  const { port, path, scheme } = probe;
  const options = { host: address, port, path, agent: false, headers: { connection: 'close' } };
  return judge(await request(scheme, options, timeoutMs), probe);
}

function connect(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const done = (outcome: ProbeOutcome) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => done(failure(`no connection within ${timeoutMs} ms`)), timeoutMs);
    socket.on('connect', () => done(success));
    socket.on('error', (error) => done(failure(error.message)));
  });
}

/** The status of the answer, or why there is none; `informed`: the last informational status before that. */
interface Answer {
  readonly status?: number;
  readonly informed?: number;
  readonly problem?: string;
}

async function request(
  scheme: 'http' | 'https',
  options: RequestOptions,
  timeoutMs: number,
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
    const timer = setTimeout(() => done({ problem: `no answer within ${timeoutMs} ms` }), timeoutMs);
    sent.on('information', ({ statusCode }) => (informed = { informed: statusCode }));
    sent.on('response', ({ statusCode }) => done(statusCode === undefined ? {} : { status: statusCode }));
    sent.on('upgrade', ({ statusCode }) => done(statusCode === undefined ? {} : { status: statusCode }));
    sent.on('error', (error) => done({ problem: error.message }));
    sent.end();
  });
}

function judge({ status, informed, problem }: Answer, { ignore1xx, statuses }: HttpProbe): ProbeOutcome {
  const last = status ?? informed;
  if (last === undefined) return failure(problem ?? 'no status');
  if (last < 200 && ignore1xx) return { kind: 'ignored' };
  const good = statuses?.includes(last) ?? (last >= 200 && last < 400);
  return good ? success : failure(`status ${last}`);
}
