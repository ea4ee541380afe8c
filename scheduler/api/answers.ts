import type { FastifyReply } from 'fastify';
import type { Change, ChangeResult } from '../core/events.ts';
import type { ApiDeps } from './deps.ts';
import { refusal } from './problems.ts';

export type Accepted = Extract<ChangeResult, { kind: 'accepted' }>;

/**
 * Carries a change out and names its deployment in the headers.
 * @throws HttpProblem when the core refuses it
 */
export async function accept(deps: ApiDeps, change: Change, reply: FastifyReply): Promise<Accepted> {
  const result = await deps.change(change);
  if (result.kind !== 'accepted') throw refusal(result);
  if (result.deploymentId !== undefined) reply.header('Marathon-Deployment-Id', result.deploymentId);
  return result;
}

/** `{version, deploymentId}`, Marathon's answer to most changes. */
export function deploymentBody(result: Accepted): Record<string, unknown> {
  return { version: result.version, deploymentId: result.deploymentId };
}

/** Sends text that is JSON already. */
export function sendJson(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(text);
}
