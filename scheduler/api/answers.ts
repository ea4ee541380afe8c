import type { FastifyReply } from 'fastify';
import type { Change, ChangeRequest, ChangeResult } from '../core/events.ts';
import type { ApiDeps } from './deps.ts';
import { refusal, type DefinitionPaths } from './problems.ts';

export type Accepted = Extract<ChangeResult, { kind: 'accepted' }>;

/** Asks for a change, and tells what came of it; events name the request. */
export function submit(
  deps: ApiDeps,
  change: Change,
  { request }: FastifyReply,
  basedOn?: ChangeRequest['basedOn'],
): Promise<ChangeResult> {
  const origin = { clientIp: request.clientAddress, uri: request.url };
  return deps.change(change, basedOn === undefined ? { origin } : { origin, basedOn });
}

/**
 * The result of a change that was accepted; the headers name its deployment.
 * @throws HttpProblem when the core has refused it
 */
export function accepted(result: ChangeResult, reply: FastifyReply, paths?: DefinitionPaths): Accepted {
  if (result.kind !== 'accepted') throw refusal(result, paths);
  if (result.deploymentId !== undefined) reply.header('Marathon-Deployment-Id', result.deploymentId);
  return result;
}

/** What a change was made from. */
interface Origin {
  readonly basedOn?: ChangeRequest['basedOn'];
  /** Refusals are told by them. */
  readonly paths?: DefinitionPaths | undefined;
}

/**
 * Carries a change out and names its deployment in the headers.
 * @throws HttpProblem when the core refuses it
 */
export async function accept(
  deps: ApiDeps,
  change: Change,
  reply: FastifyReply,
  { basedOn, paths }: Origin = {},
): Promise<Accepted> {
  return accepted(await submit(deps, change, reply, basedOn), reply, paths);
}

/** `{version, deploymentId}`, Marathon's answer to most changes. */
export function deploymentBody(result: Accepted): Record<string, unknown> {
  return { version: result.version, deploymentId: result.deploymentId };
}

/** Sends text that is JSON already. */
export function sendJson(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).type('application/json; charset=utf-8').send(text);
}
