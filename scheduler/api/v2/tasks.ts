import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { taskId } from '../../../src/model/ids.ts';
import { isTerminal, type Condition } from '../../../src/model/instance.ts';
import { accept, deploymentBody } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { badRequest } from '../problems.ts';
import { checked, flag, jsonBody, queryValues } from '../request.ts';
import { presentTask, presentTaskWithPorts } from './present-task.ts';

const killListSchema = z.object({ ids: z.array(z.string().min(1)) });

const statusFilters: Readonly<Record<string, ReadonlySet<Condition>>> = {
  running: new Set<Condition>(['running']),
  staging: new Set<Condition>(['provisioned', 'staging']),
};

/** `/v2/tasks` (Marathon v2). */
export function taskRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v2/tasks', (request) => {
    const wanted = queryValues(request, 'status').map((name) => statusFilters[name]);
    const world = deps.world();
    const tasks: Record<string, unknown>[] = [];
    for (const instance of world.instances.values()) {
      if (isTerminal(instance.condition)) continue;
      if (wanted.length > 0 && !wanted.some((set) => set?.has(instance.condition))) continue;
      tasks.push(presentTaskWithPorts(world, instance));
    }
    return { tasks };
  });

  server.post('/v2/tasks/delete', async (request, reply) => {
    const { ids } = checked(killListSchema, jsonBody(request), request, reply);
    const scale = flag(request, 'scale');
    if (scale && flag(request, 'wipe')) throw badRequest('You cannot use scale and wipe at the same time.');
    const world = deps.world();
    const known = ids.flatMap((id) => world.instances.get(taskId(id)) ?? []);
    const tasks = known.map((instance) => presentTask(world, instance));
    const taskIds = known.map((instance) => instance.taskId);
    const result = await accept(
      deps,
      { kind: 'kill-tasks', taskIds, scale, force: flag(request, 'force') },
      reply,
    );
    return scale ? deploymentBody(result) : { tasks };
  });
}
