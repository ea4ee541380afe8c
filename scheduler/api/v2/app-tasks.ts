import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppId } from '../../../src/model/ids.ts';
import { taskId } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { accept, deploymentBody } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { wantsExtensions } from '../http/extended.ts';
import { badRequest, notFound } from '../problems.ts';
import { flag, queryValues } from '../request.ts';
import { liveInstancesOf } from './present-app.ts';
import { presentTask } from './present-task.ts';
import { sendTasks } from './task-list.ts';

/** GET /v2/apps/APP/tasks and /v2/apps/GROUP/*\/tasks. */
export function listTasksOf(
  deps: ApiDeps,
  apps: readonly AppId[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const world = deps.world();
  return sendTasks(
    deps,
    apps.flatMap((app) => liveInstancesOf(world, app)),
    request,
    reply,
  );
}

/** DELETE /v2/apps/APP/tasks: all of them, or with `host` those there. */
export function killTasksOf(
  deps: ApiDeps,
  app: AppId,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const host = queryValues(request, 'host').at(-1);
  const chosen = liveInstancesOf(deps.world(), app).filter(
    ({ hostname }) => host === undefined || host === '*' || hostname === host,
  );
  return killTasks(deps, chosen, request, reply, (tasks) => ({ tasks }));
}

/** DELETE /v2/apps/APP/tasks/TASK. @throws HttpProblem 404 */
export function killTask(
  deps: ApiDeps,
  app: AppId,
  task: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const chosen = liveInstancesOf(deps.world(), app).filter((instance) => instance.taskId === taskId(task));
  if (chosen.length === 0) throw notFound(`Task '${task}' does not exist`);
  return killTasks(deps, chosen, request, reply, ([first]) => ({ task: first }));
}

/**
 * Kills tasks. The answer is the tasks as they were, or with `scale` the deployment that makes their apps smaller.
 * With `wipe` those that are unreachable are given up at once.
 * @throws HttpProblem 400 for scale and wipe together
 */
export async function killTasks(
  deps: ApiDeps,
  instances: readonly Instance[],
  request: FastifyRequest,
  reply: FastifyReply,
  body: (tasks: readonly Record<string, unknown>[]) => Record<string, unknown>,
): Promise<FastifyReply> {
  const scale = flag(request, 'scale');
  const wipe = flag(request, 'wipe');
  if (scale && wipe) throw badRequest('You cannot use scale and wipe at the same time.');
  const extended = wantsExtensions(request);
  const tasks = instances.map((instance) => presentTask(deps.world(), instance, extended));
  const taskIds = instances.map((instance) => instance.taskId);
  const force = flag(request, 'force');
  const result = await accept(deps, { kind: 'kill-tasks', taskIds, scale, wipe, force }, reply);
  return reply.send(scale ? deploymentBody(result) : body(tasks));
}
