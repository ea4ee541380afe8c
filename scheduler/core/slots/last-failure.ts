import type { Condition, Instance } from '../../../src/model/instance.ts';
import { taskStateOf } from '../fabric/publications.ts';
import type { FrameBuilder } from '../frame.ts';

/** Messages come from apps and drivers and may be long; what is remembered of each app is little. */
const maxMessageLength = 2_000;

/** Remembers how an instance ended against the will of its app: Marathon's `lastTaskFailure`. */
export function noteLastFailure(
  frame: FrameBuilder,
  { appId, taskId, hostname, agentId, version }: Instance,
  condition: Condition,
  message: string,
): void {
  frame.putFailure({
    appId,
    taskId,
    host: hostname,
    agentId,
    state: taskStateOf(condition),
    message: message.slice(0, maxMessageLength),
    timestamp: frame.now,
    version,
  });
}
