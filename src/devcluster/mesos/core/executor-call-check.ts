import type { ExecutorCall, TaskStatus } from '../../../../proto/mesos.gen.ts';
import { isUuid } from '../../../mesos/uuid.ts';

/** What is wrong with an executor's call in itself, in Mesos's words; undefined when it is well-formed. */
export function checkExecutorCall(call: ExecutorCall): string | undefined {
  switch (call.type) {
    case undefined:
      return "Expecting 'type' to be present";
    case 'SUBSCRIBE':
      return call.subscribe === undefined ? "Expecting 'subscribe' to be present" : undefined;
    case 'UPDATE':
      return call.update === undefined
        ? "Expecting 'update' to be present"
        : checkStatus(call, call.update.status);
    case 'MESSAGE':
      return call.message === undefined ? "Expecting 'message' to be present" : undefined;
    case 'HEARTBEAT':
    case 'UNKNOWN':
      return undefined;
  }
}

function checkStatus(call: ExecutorCall, status: TaskStatus): string | undefined {
  if (status.uuid === undefined) return "Expecting 'uuid' to be present";
  if (!isUuid(status.uuid)) return 'Not a valid UUID';
  const named = status.executor_id?.value;
  if (named !== undefined && named !== call.executor_id.value) {
    return `ExecutorID in Call: ${call.executor_id.value} does not match ExecutorID in TaskStatus: ${named}`;
  }
  if (status.source !== 'SOURCE_EXECUTOR') {
    return `Received Call from executor ${call.executor_id.value} of framework ${call.framework_id.value} with invalid source, expecting 'SOURCE_EXECUTOR'`;
  }
  if (status.state === 'TASK_STAGING') {
    return 'Received TASK_STAGING from executor, which is not allowed';
  }
  return undefined;
}
