import type {
  ExecutorCall,
  ExecutorCallUpdate,
  FrameworkInfo,
  SchedulerCall,
  TaskInfo,
  TaskStatus,
} from '../../proto/mesos.gen.ts';
import type { AgentId, ExecutorId, OfferId, TaskId } from '../model/ids.ts';
import { durationInfo } from './duration.ts';

/** A call of a scheduler; its client adds the framework id. */
export type MasterCall = Omit<SchedulerCall, 'framework_id'>;
/** A call of an executor; its client adds the ids. */
export type AgentCall = Omit<ExecutorCall, 'framework_id' | 'executor_id'>;

/** `suppressedRoles` replaces what was suppressed before. */
export const subscribe = (framework: FrameworkInfo, suppressedRoles: readonly string[] = []): MasterCall => ({
  type: 'SUBSCRIBE',
  subscribe: { framework_info: framework, suppressed_roles: suppressedRoles },
});

/** Ends the framework: every task is killed and the id is unusable afterwards. */
export const teardown = (): MasterCall => ({ type: 'TEARDOWN' });

/** Launches tasks on offers of one agent and role; what they leave is refused for `refuseSeconds`. */
export const accept = (
  offers: readonly OfferId[],
  tasks: readonly TaskInfo[],
  refuseSeconds: number,
): MasterCall => ({
  type: 'ACCEPT',
  accept: {
    offer_ids: offers.map((value) => ({ value })),
    operations: [{ type: 'LAUNCH', launch: { task_infos: tasks } }],
    filters: { refuse_seconds: refuseSeconds },
  },
});

/** Gives offers back; the same resources are not offered again for `refuseSeconds`. */
export const decline = (offers: readonly OfferId[], refuseSeconds: number): MasterCall => ({
  type: 'DECLINE',
  decline: { offer_ids: offers.map((value) => ({ value })), filters: { refuse_seconds: refuseSeconds } },
});

/** Agrees to the maintenance of the agents that these ask for; it advises the operator. */
export const acceptInverseOffers = (offers: readonly OfferId[]): MasterCall => ({
  type: 'ACCEPT_INVERSE_OFFERS',
  accept_inverse_offers: { inverse_offer_ids: offers.map((value) => ({ value })) },
});

/** Not yet: Mesos asks again after `refuseSeconds`. */
export const declineInverseOffers = (offers: readonly OfferId[], refuseSeconds: number): MasterCall => ({
  type: 'DECLINE_INVERSE_OFFERS',
  decline_inverse_offers: {
    inverse_offer_ids: offers.map((value) => ({ value })),
    filters: { refuse_seconds: refuseSeconds },
  },
});

/** Forgets all refusals and asks for offers; no roles: all of the framework's. */
export const revive = (roles: readonly string[] = []): MasterCall => ({ type: 'REVIVE', revive: { roles } });

/** No more offers until REVIVE; no roles: all of the framework's. */
export const suppress = (roles: readonly string[] = []): MasterCall => ({
  type: 'SUPPRESS',
  suppress: { roles },
});

/** `graceMs` overrides the task's own time between SIGTERM and SIGKILL. */
export const kill = (task: TaskId, agent: AgentId | undefined, graceMs?: number): MasterCall => ({
  type: 'KILL',
  kill: {
    task_id: { value: task },
    ...(agent === undefined ? {} : { agent_id: { value: agent } }),
    ...(graceMs === undefined ? {} : { kill_policy: { grace_period: durationInfo(graceMs) } }),
  },
});

/** Ends an executor with all of its tasks. */
export const shutdown = (executor: ExecutorId, agent: AgentId): MasterCall => ({
  type: 'SHUTDOWN',
  shutdown: { executor_id: { value: executor }, agent_id: { value: agent } },
});

/** Only for a status that came with a uuid, after it was stored. */
export const acknowledge = (task: TaskId, agent: AgentId, uuid: Uint8Array): MasterCall => ({
  type: 'ACKNOWLEDGE',
  acknowledge: { task_id: { value: task }, agent_id: { value: agent }, uuid },
});

/** Asks for the state of these tasks, or of all when there are none. */
export const reconcile = (
  tasks: readonly { readonly taskId: TaskId; readonly agentId?: AgentId }[],
): MasterCall => ({
  type: 'RECONCILE',
  reconcile: {
    tasks: tasks.map(({ taskId, agentId }) => ({
      task_id: { value: taskId },
      ...(agentId === undefined ? {} : { agent_id: { value: agentId } }),
    })),
  },
});

/** To an executor, at most once: it may get lost. */
export const messageToExecutor = (executor: ExecutorId, agent: AgentId, data: Uint8Array): MasterCall => ({
  type: 'MESSAGE',
  message: { agent_id: { value: agent }, executor_id: { value: executor }, data },
});

/** `subscribe` is always there: agents refuse a SUBSCRIBE without it. */
export const subscribeExecutor = (
  tasks: readonly TaskInfo[],
  updates: readonly ExecutorCallUpdate[],
): AgentCall => ({
  type: 'SUBSCRIBE',
  subscribe: { unacknowledged_tasks: tasks, unacknowledged_updates: updates },
});

/** `status` needs a fresh uuid (newUuid) and a timestamp. */
export const update = (status: TaskStatus): AgentCall => ({ type: 'UPDATE', update: { status } });

/** To the scheduler, at most once: it may get lost. */
export const messageToScheduler = (data: Uint8Array): AgentCall => ({ type: 'MESSAGE', message: { data } });
