import type Docker from 'dockerode';
import { z } from 'zod';
import { containerLabels, roleOf } from '../../core/tasks/container-spec.ts';
import type { ContainerDeath } from '../../core/tasks/containers.ts';
import { dockerError } from './connection.ts';
import { jsonLines } from './json-lines.ts';
import { closeOnAbort } from './open-stream.ts';

const eventSchema = z.object({
  Actor: z.object({ Attributes: z.record(z.string(), z.string()).optional() }),
});

/** Follows Docker's events for ends of the containers of one host. */
export async function* readDeaths(
  docker: Docker,
  hostKey: string,
  onOpen: () => void,
  signal: AbortSignal,
): AsyncGenerator<ContainerDeath> {
  try {
    const filters = {
      type: ['container' as const],
      event: ['die'],
      label: [`${containerLabels.host}=${hostKey}`],
    };
    const options = { filters, abortSignal: signal };
    const stream = closeOnAbort(await docker.getEvents(options), signal);
    onOpen();
    for await (const event of jsonLines(stream)) {
      const labels = eventSchema.safeParse(event).data?.Actor.Attributes ?? {};
      const taskId = labels[containerLabels.task];
      if (taskId !== undefined) yield { taskId, role: roleOf(labels[containerLabels.role]) };
    }
  } catch (error) {
    throw dockerError('docker events', error);
  }
}
