import type { App } from '../../../src/model/app.ts';
import { executorId, incarnationTaskId } from '../../../src/model/ids.ts';
import type { Instance, Slot } from '../../../src/model/instance.ts';
import { noScalars, subtractScalars, toMilli } from '../../../src/model/resources.ts';
import type { Scalars } from '../../../src/model/resources.ts';
import { nextEpoch } from '../../../src/fabric/incarnations.ts';
import type { FrameBuilder } from '../frame.ts';
import { afterTaking, takePortsOut } from './offer-pool.ts';
import type { Accepted, AgentPool } from './offer-pool.ts';
import { fenceUnreachable } from '../slots/slot-plan.ts';
import { incarnationsOf } from '../tables.ts';
import type { ExecutorRecord, Settings } from '../world.ts';

/** Mesos has to have spoken of a launch by then, or it is asked. */
const confirmMs = 60_000;

/** What an instance of the app takes of an agent, without the executor. */
export const needOf = (app: App): Scalars => ({
  cpus: toMilli(app.cpus),
  mem: toMilli(app.mem),
  disk: toMilli(app.disk),
  gpus: toMilli(app.gpus),
});

/** What of an offer the app may use. There is nothing reserved for everybody, `*`. */
export function acceptedBy(app: App, settings: Settings): Accepted {
  const { acceptedResourceRoles: roles, role } = app;
  if (role === '*') return 'unreserved';
  if (roles.length === 0) return settings.acceptedByDefault;
  if (!roles.includes('*')) return 'reserved';
  return roles.length === 1 ? 'unreserved' : 'any';
}

/**
 * What the pool has left for tasks: the executor's share goes off unless an executor of ours surely runs there or an
 * earlier launch of this frame brings it. A new executor takes what is reserved first, a known one what it took before.
 */
export function stockBesideExecutor(
  frame: FrameBuilder,
  pool: AgentPool,
): Pick<AgentPool, 'free' | 'reserved'> {
  const record = presentExecutor(frame, pool);
  if (pool.executorPaid || (record !== undefined && pool.executorIds.has(record.executorId))) return pool;
  const share: Scalars = { ...noScalars, ...frame.settings.executorResources };
  if (record === undefined) return afterTaking(pool, share, 'any');
  const reserved: Scalars = { ...noScalars, ...frame.settings.reservedOfExecutor(record.info) };
  return afterTaking(
    afterTaking(pool, subtractScalars(share, reserved), 'unreserved'),
    reserved,
    reserved.cpus === 0 && reserved.mem === 0 ? 'unreserved' : 'reserved',
  );
}

/** Stores the next incarnation of the slot, on what the pool has, and adds its launch to the pool. */
export function launch(
  frame: FrameBuilder,
  app: App,
  slot: Slot,
  pool: AgentPool,
  ports: readonly number[],
): Instance {
  const left = afterTaking(stockBesideExecutor(frame, pool), needOf(app), acceptedBy(app, frame.settings));
  pool.free = left.free;
  pool.reserved = left.reserved;
  takePortsOut(pool, ports);
  pool.executorPaid = true;
  const executor = executorFor(frame, pool);
  const standby = hasActive(frame, slot);
  const epoch = standby ? nextEpoch(slot.epoch, slot.activeEpoch) : slot.epoch + 1;
  const { returned: _, ...rest } = slot;
  const next: Slot = standby ? { ...rest, epoch } : { ...rest, epoch, activeEpoch: epoch };
  const instance = provision(frame, app, next, pool, executor, ports, standby);
  frame.putSlot(next);
  frame.putInstance(instance);
  if (!standby) fenceUnreachable(frame, slot.id, epoch);
  frame.world.timers.set(
    { kind: 'launch', taskId: instance.taskId },
    frame.now + Math.min(confirmMs, frame.settings.launchTimeoutMs),
  );
  pool.launches.push({ instance, slot: next, app, executorId: executor.executorId });
  return instance;
}

/** Whether an incarnation that is not lost has the slot's address: then the next one waits beside it. */
function hasActive(frame: FrameBuilder, slot: Slot): boolean {
  const status = frame.world.progress.get(slot.appId)?.statuses.get(slot.id);
  if (status?.vacant === true) return false;
  return incarnationsOf(frame.world, slot.id).some(
    (instance) => instance.epoch === slot.activeEpoch && instance.fenced !== true,
  );
}

function provision(
  frame: FrameBuilder,
  app: App,
  slot: Slot,
  { agentId, offer }: AgentPool,
  executor: ExecutorRecord,
  hostPorts: readonly number[],
  standby: boolean,
): Instance {
  return {
    taskId: incarnationTaskId(app.id, frame.uuid(), slot.epoch),
    slotId: slot.id,
    appId: app.id,
    epoch: slot.epoch,
    version: app.version,
    configVersion: app.versionInfo.lastConfigChangeAt,
    agentId,
    hostname: offer.hostname,
    executorId: executor.executorId,
    condition: 'provisioned',
    goal: 'run',
    hostPorts,
    attributes: offer.attributes,
    ...(offer.region === undefined ? {} : { region: offer.region }),
    ...(offer.zone === undefined ? {} : { zone: offer.zone }),
    stagedAt: frame.now,
    since: frame.now,
    standby,
    ...(app.healthChecks.length === 0 ? {} : { checked: true }),
    ...(app.readinessChecks.length === 0 ? {} : { ready: false }),
    ...(slot.lease === undefined ? {} : { lease: slot.lease }),
    ...(app.network.mode === 'bridge' ? { bridged: true } : {}),
  };
}

/**
 * The agent's executor as it was first launched, or a new one with an id that was never used. One of another build or
 * role keeps its tasks and gets no more: the new one runs beside it.
 */
function executorFor(frame: FrameBuilder, pool: AgentPool): ExecutorRecord {
  const known = presentExecutor(frame, pool);
  if (known !== undefined) return known;
  const { agentId, offerIds } = pool;
  const id = executorId(`${idPrefix(frame)}${frame.uuid().slice(0, 8)}`);
  const record = { agentId, executorId: id, info: frame.settings.buildExecutorInfo(id, offerIds) };
  frame.putExecutor(record);
  return record;
}

/** The agent's executor, if it is of the build and the role that this scheduler has, and may still be there. */
function presentExecutor(
  frame: FrameBuilder,
  { agentId, executorIds }: AgentPool,
): ExecutorRecord | undefined {
  const record = frame.world.executors.get(agentId);
  if (record?.executorId.startsWith(idPrefix(frame)) !== true) return undefined;
  if (!executorIds.has(record.executorId) && !isUsed(frame, record)) return undefined;
  return frame.settings.isOfOurRole(record.info) ? record : undefined;
}

/**
 * Whether a task of ours is on the executor. One without any that Mesos does not list has ended, perhaps while we were
 * away, and what it was started with (our address) may be out of date.
 */
function isUsed({ world }: FrameBuilder, { agentId, executorId: id }: ExecutorRecord): boolean {
  for (const task of world.instancesOfAgent.get(agentId) ?? []) {
    if (world.instances.get(task)?.executorId === id) return true;
  }
  return false;
}

/** Names of builds have no hyphen, so no prefix is the beginning of another. */
const idPrefix = (frame: FrameBuilder): string => `patchpanel-${frame.settings.executorBuild}-`;
