import { z } from 'zod';
import type { TaskState, TaskStatus, TaskStatusSource } from '../../../proto/mesos.gen.ts';
import { checkResultsSchema, httpResponseSchema } from '../../../src/model/health.ts';
import { agentId, executorId, taskId } from '../../../src/model/ids.ts';
import type { Condition } from '../../../src/model/instance.ts';
import type { StatusSource, StatusUpdate } from '../../core/events.ts';

const conditions: Readonly<Record<TaskState, Condition>> = {
  TASK_STAGING: 'staging',
  TASK_STARTING: 'starting',
  TASK_RUNNING: 'running',
  TASK_KILLING: 'killing',
  TASK_UNREACHABLE: 'unreachable',
  TASK_FINISHED: 'finished',
  TASK_FAILED: 'failed',
  TASK_KILLED: 'killed',
  TASK_ERROR: 'error',
  TASK_LOST: 'lost',
  TASK_DROPPED: 'dropped',
  TASK_GONE: 'gone',
  TASK_GONE_BY_OPERATOR: 'gone-by-operator',
  TASK_UNKNOWN: 'unknown',
};

const sources: Readonly<Record<TaskStatusSource, StatusSource>> = {
  SOURCE_MASTER: 'master',
  SOURCE_AGENT: 'agent',
  SOURCE_EXECUTOR: 'executor',
};

/** A Mesos task status in our words. */
export function statusOf(status: TaskStatus): StatusUpdate {
  const hasUuid = status.uuid !== undefined && status.uuid.length > 0;
  return {
    taskId: taskId(status.task_id.value),
    condition: conditions[status.state],
    ...(status.agent_id === undefined ? {} : { agentId: agentId(status.agent_id.value) }),
    ...(status.executor_id === undefined ? {} : { executorId: executorId(status.executor_id.value) }),
    ...(status.source === undefined ? {} : { source: sources[status.source] }),
    ...(status.reason === undefined ? {} : { reason: status.reason }),
    ...(status.message === undefined ? {} : { message: status.message }),
    ...(status.healthy === undefined ? {} : { healthy: status.healthy }),
    ...toldIn(status.data),
    ...(hasUuid ? { uuid: status.uuid } : {}),
  };
}

const statusDataSchema = z.object({
  hostUnfit: z.literal(true).optional().catch(undefined),
  health: checkResultsSchema.optional(),
  ready: z.boolean().optional(),
  // One that is too long is left out; what comes with it counts all the same.
  response: httpResponseSchema.optional().catch(undefined),
});

/** What the executor tells of its checks and its host; nothing when the data is none of its own or does not speak of them. */
function toldIn(
  data: Uint8Array | undefined,
): Pick<StatusUpdate, 'checkResults' | 'ready' | 'lastResponse' | 'hostUnfit'> {
  if (data === undefined || data.length === 0) return {};
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder().decode(data));
  } catch {
    return {};
  }
  const { hostUnfit, health, ready, response } = statusDataSchema.safeParse(content).data ?? {};
  return {
    ...(hostUnfit === undefined ? {} : { hostUnfit }),
    ...(health === undefined ? {} : { checkResults: health }),
    ...(ready === undefined ? {} : { ready }),
    ...(response === undefined ? {} : { lastResponse: response }),
  };
}
