import type { AgentId, DeploymentId, ExecutorId, OfferId, SlotId, TaskId } from '../../src/model/ids.ts';
import type { Instance, Slot } from '../../src/model/instance.ts';
import type { App } from '../../src/model/app.ts';
import type { RecordWrite } from '../store/store.ts';
import type { ChangeResult } from './events.ts';

/** One task to launch on an offer. The shell builds Mesos's TaskInfo from it and from the offer's resources. */
export interface Launch {
  readonly instance: Instance;
  readonly slot: Slot;
  readonly app: App;
  readonly executorId: ExecutorId;
}

/** What the shell does after the frame's writes are durable, in this order. */
export type Effect =
  | {
      readonly kind: 'accept';
      readonly offerIds: readonly OfferId[];
      readonly agentId: AgentId;
      readonly launches: readonly Launch[];
    }
  | { readonly kind: 'decline'; readonly offerIds: readonly OfferId[]; readonly refuseSeconds: number }
  | { readonly kind: 'kill'; readonly taskId: TaskId; readonly agentId: AgentId; readonly graceMs?: number }
  | {
      readonly kind: 'acknowledge';
      readonly taskId: TaskId;
      readonly agentId: AgentId;
      readonly uuid: Uint8Array;
    }
  /** Explicit for the tasks given, implicit when there are none. */
  | {
      readonly kind: 'reconcile';
      readonly tasks: readonly { readonly taskId: TaskId; readonly agentId?: AgentId }[];
    }
  /** Ends an executor that has no task of ours any more. */
  | { readonly kind: 'shutdown-executor'; readonly executorId: ExecutorId; readonly agentId: AgentId }
  | { readonly kind: 'accept-inverse'; readonly offerIds: readonly OfferId[] }
  | {
      readonly kind: 'decline-inverse';
      readonly offerIds: readonly OfferId[];
      readonly refuseSeconds: number;
    }
  | { readonly kind: 'revive' }
  | { readonly kind: 'suppress' }
  /** The slots whose endpoints changed: the shell recomputes the views of the hosts concerned. */
  | { readonly kind: 'fabric-changed'; readonly slots: readonly SlotId[] }
  /** What views show of networks as a whole changed. */
  | { readonly kind: 'networks-changed' }
  /** Nothing needs the host any more and it was not heard of for long: what the shell remembers of it may go. */
  | { readonly kind: 'host-forgotten'; readonly agentId: AgentId }
  | { readonly kind: 'publish'; readonly event: PublishedEvent };

/** What observers are told (the event stream and the log), Marathon's event types. */
export interface PublishedEvent {
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly deploymentId?: DeploymentId;
}

/**
 * What one event leads to. The shell makes `writes` durable, then carries the effects out in order, then answers.
 * INVARIANT: no effect leaves before its frame's writes are durable.
 */
export interface Frame {
  readonly writes: readonly RecordWrite[];
  readonly effects: readonly Effect[];
  /** Present when the event was a change. */
  readonly result?: ChangeResult;
}
