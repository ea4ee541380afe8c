import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { taskId } from '../../../src/model/ids.ts';
import { isTerminal, type Condition, type Instance } from '../../../src/model/instance.ts';
import type { ApiDeps } from '../deps.ts';
import { badRequest } from '../problems.ts';
import { checked, jsonBody, queryValues } from '../request.ts';
import { killTasks } from './app-tasks.ts';
import { sendTasks } from './task-list.ts';

/** What POST /v2/tasks/delete takes. */
export const killListSchema = z.object({ ids: z.array(z.string().min(1)) });

const statusFilters: Readonly<Record<string, ReadonlySet<Condition>>> = {
  running: new Set<Condition>(['running']),
  staging: new Set<Condition>(['provisioned', 'staging']),
};

/** `/v2/tasks` (Marathon v2). */
export function taskRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v2/tasks', (request, reply) => {
    // What is no status is as if it was not there, as in Marathon.
    const wanted = queryValues(request, 'status').flatMap((name) => statusFilters[name.toLowerCase()] ?? []);
    const instances: Instance[] = [];
    for (const instance of deps.world().instances.values()) {
      if (isTerminal(instance.condition)) continue;
      if (wanted.length > 0 && !wanted.some((set) => set.has(instance.condition))) continue;
      instances.push(instance);
    }
    return sendTasks(deps, instances, request, reply);
  });

  server.post('/v2/tasks/delete', async (request, reply) => {
    const { ids } = checked(killListSchema, jsonBody(request), request, reply);
    for (const id of ids) requireTaskId(id);
    const { instances } = deps.world();
    const known = [...new Set(ids)].flatMap((id) => instances.get(taskId(id)) ?? []);
    return killTasks(deps, known, request, reply, (tasks) => ({ tasks }));
  });
}

/** An id of no form that a task of Marathon's has ever had. @throws HttpProblem 400 */
function requireTaskId(id: string): void {
  if (/^[^/\s]+[.][^/\s]+$/.test(id)) return;
  throw badRequest(`Invalid task id '${id}'. It must be the app's id, a dot and what tells its tasks apart.`);
}
