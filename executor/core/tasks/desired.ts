import type { KillPolicy, TaskInfo } from '../../../proto/mesos.gen.ts';
import type { EndpointKey } from '../../../src/fabric/view.ts';
import { parseDockerParameters, type DockerOptions } from '../../../src/model/docker-parameters.ts';
import { slotIdFromText, taskId, type TaskId } from '../../../src/model/ids.ts';
import { taskSpecSchema, type SwitchNetworkSpec, type TaskSpec } from '../../../src/model/task-spec.ts';
import { messageOf } from '../../../src/runtime/errors.ts';

/** A task as it is to be run, checked as far as that is possible without Docker. */
export interface DesiredTask {
  readonly taskId: TaskId;
  readonly spec: TaskSpec;
  readonly options: DockerOptions;
  /** How it is plugged into the switch; absent on the host's network. */
  readonly plug?: Plug;
}

export interface Plug {
  readonly endpoint: EndpointKey;
  readonly network: SwitchNetworkSpec;
}

export type Launch =
  | { readonly kind: 'accepted'; readonly task: DesiredTask }
  /** It can never run here; `message` says why. */
  | { readonly kind: 'refused'; readonly taskId: TaskId; readonly message: string };

/** Reads what a LAUNCH event asks for. */
export function readLaunch(info: TaskInfo): Launch {
  const id = taskId(info.task_id.value);
  const spec = readSpec(info.data);
  if (typeof spec === 'string') return { kind: 'refused', taskId: id, message: spec };
  if (spec.problem !== undefined) return { kind: 'refused', taskId: id, message: spec.problem };
  const { options, problems } = parseDockerParameters(spec.parameters, 'all');
  const [problem] = problems;
  if (problem !== undefined) return { kind: 'refused', taskId: id, message: problem.message };
  const relative = spec.volumes.find(({ hostPath }) => !hostPath.startsWith('/'));
  if (relative !== undefined) {
    const message = `the volume ${relative.hostPath} needs an absolute path on the host`;
    return { kind: 'refused', taskId: id, message };
  }
  if (spec.network.mode === 'host') return { kind: 'accepted', task: { taskId: id, spec, options } };
  const plug = {
    endpoint: { slot: slotIdFromText(spec.slot), epoch: spec.epoch },
    network: spec.network,
  };
  return { kind: 'accepted', task: { taskId: id, spec, options, plug } };
}

/** The specification in TaskInfo.data, or why it cannot be used. */
function readSpec(data: Uint8Array | undefined): TaskSpec | string {
  if (data === undefined) return 'the task carries no specification for this executor';
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder().decode(data));
  } catch (error) {
    return `the task's specification is not JSON: ${messageOf(error)}`;
  }
  const parsed = taskSpecSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `the task's specification is wrong at ${issue?.path.join('.') ?? '?'}: ${issue?.message ?? ''}`;
}

/** Milliseconds between SIGTERM and SIGKILL: what the KILL event says, else what the task says. */
export function killGraceMs(policy: KillPolicy | undefined, fallbackMs: number): number {
  const nanoseconds = policy?.grace_period?.nanoseconds;
  return nanoseconds === undefined ? fallbackMs : Math.max(0, Math.round(nanoseconds / 1e6));
}
