import type { App } from '../../src/model/app.ts';
import type { Deployment, EndedDeployment } from '../../src/model/deployment.ts';
import { parentOf } from '../../src/model/group.ts';
import type { Group, Revision } from '../../src/model/group.ts';
import type { HostRecord } from '../../src/model/host.ts';
import type {
  AgentId,
  AppId,
  AppVersion,
  DeploymentId,
  FrameworkId,
  GroupId,
  NetworkName,
  SlotId,
} from '../../src/model/ids.ts';
import type { Instance, Slot } from '../../src/model/instance.ts';
import type { Network } from '../../src/model/network.ts';
import { reservationSlot, type Reservation } from '../../src/model/reservation.ts';
import type { RecordKind, RecordWrite } from '../store/store.ts';
import type { Effect, Frame, PublishedEvent } from './effects.ts';
import type { ChangeRequest, ChangeResult, Context } from './events.ts';
import { frameworkIdKey } from './restore.ts';
import {
  indexApp,
  indexDeployment,
  indexGroup,
  indexInstance,
  indexReservation,
  indexRevision,
  indexSlot,
  indexVersion,
  unindexDeployment,
  unindexRevision,
} from './tables.ts';
import type { ExecutorRecord, Settings, TaskFailure, World } from './world.ts';

/** Definitions that the remembered changes may hold on average: a change of thousands of apps pushes older ones out. */
const appsPerRevision = 20;

/**
 * The only way to change a world: puts and deletes keep its tables and indexes and collect what must be stored and
 * done. INVARIANTS: one write for each record, the last; whatever changed what a view shows is in `fabric-changed`;
 * every slot whose incarnations or record changed is marked for `settle`.
 */
export class FrameBuilder {
  readonly world: World;
  readonly settings: Settings;
  readonly now: number;
  readonly uuid: () => string;
  readonly isConnected: (host: AgentId) => boolean;
  /** Slots to look at again before the frame ends. */
  readonly touchedSlots = new Set<SlotId>();
  /** Apps whose rolling upgrade and deployment are looked at before the frame ends. */
  readonly touchedApps = new Set<AppId>();
  /** The request that the frame answers, where it answers one. */
  request: ChangeRequest = {};
  /** Something can be launched that could not be before. */
  newWork = false;
  readonly #writes = new Map<string, RecordWrite>();
  readonly #effects: Effect[] = [];
  readonly #fabric = new Set<SlotId>();
  #networks = false;

  constructor(world: World, settings: Settings, context: Context) {
    this.world = world;
    this.settings = settings;
    this.now = context.now;
    this.uuid = context.uuid;
    this.isConnected = context.isConnected;
  }

  build(result?: ChangeResult): Frame {
    const fabric: Effect[] =
      this.#fabric.size > 0 ? [{ kind: 'fabric-changed', slots: [...this.#fabric] }] : [];
    const networks: Effect[] = this.#networks ? [{ kind: 'networks-changed' }] : [];
    const frame = { writes: [...this.#writes.values()], effects: [...fabric, ...networks, ...this.#effects] };
    return result === undefined ? frame : { ...frame, result };
  }

  emit(effect: Effect): void {
    this.#effects.push(effect);
  }

  publish(type: string, fields: PublishedEvent['fields'], deploymentId?: DeploymentId): void {
    const event = deploymentId === undefined ? { type, fields } : { type, fields, deploymentId };
    this.#effects.push({ kind: 'publish', event });
  }

  /** All slots of the app are looked at again: its definition or its part in a deployment changed. */
  touchApp(appId: AppId): void {
    this.touchedApps.add(appId);
    this.#changed(appId);
    for (const slot of this.world.slotsOfApp.get(appId) ?? []) this.touchedSlots.add(slot);
  }

  /** One slot is looked at again. */
  touchSlot(appId: AppId, slotId: SlotId): void {
    this.touchedSlots.add(slotId);
    this.touchedApps.add(appId);
    this.#changed(appId);
  }

  /** The views that show these slots change though their records do not (their host came or went). */
  fabricChanged(slot: SlotId): void {
    this.#fabric.add(slot);
  }

  /** What views show of networks as a whole changes: their options, or what is published of them. */
  networksChanged(): void {
    this.#networks = true;
  }

  putFrameworkId(id: FrameworkId): void {
    this.world.frameworkId = id;
    this.#write('meta', frameworkIdKey, id);
  }

  putApp(app: App): void {
    const before = this.world.apps.get(app.id);
    this.world.apps.set(app.id, app);
    if (indexApp(this.world, before, app)) this.networksChanged();
    this.#write('app', app.id, app);
    this.touchApp(app.id);
  }

  /** Removes the app with its older versions and its last failure. */
  deleteApp(id: AppId): void {
    const before = this.world.apps.get(id);
    this.world.apps.delete(id);
    if (indexApp(this.world, before, undefined)) this.networksChanged();
    this.#write('app', id, undefined);
    for (const version of this.world.versions.get(id)?.keys() ?? [])
      this.#write('app-version', versionKey(id, version), undefined);
    this.world.versions.delete(id);
    if (this.world.lastFailures.delete(id)) this.#write('task-failure', id, undefined);
    this.touchApp(id);
    this.world.appChanges.delete(id);
    this.#leave(parentOf(id));
  }

  putGroup(group: Group): void {
    this.world.groups.set(group.id, group);
    indexGroup(this.world, group.id, true);
    this.#write('group', group.id, group);
  }

  /** Removes the group, at once or with the last of what is still in it. */
  removeGroup(id: GroupId): void {
    const group = this.world.groups.get(id);
    if (group === undefined) return;
    this.putGroup({ ...group, leaving: true });
    this.#leave(id);
  }

  /** Keeps what a change replaced, and of these changes the newest, so that neither they nor their apps grow many. */
  putRevision(revision: Revision): void {
    const { world, settings } = this;
    indexRevision(world, revision);
    this.#write('revision', revision.version, revision);
    for (const oldest of world.revisions.values()) {
      const tooMany = world.revisions.size > settings.maxRevisions;
      const tooMuch = world.revisedApps > settings.maxRevisions * appsPerRevision && oldest !== revision;
      if (!tooMany && !tooMuch) return;
      unindexRevision(world, oldest);
      this.#write('revision', oldest.version, undefined);
    }
  }

  /** Keeps an older definition, and of these the newest `maxVersions`. */
  putVersion(app: App): void {
    indexVersion(this.world, app);
    this.#write('app-version', versionKey(app.id, app.version), app);
    const versions = this.world.versions.get(app.id);
    for (const oldest of versions?.keys() ?? []) {
      if (versions === undefined || versions.size <= this.settings.maxVersions) return;
      versions.delete(oldest);
      this.#write('app-version', versionKey(app.id, oldest), undefined);
    }
  }

  putDeployment(deployment: Deployment): void {
    const isNew = !this.world.deployments.has(deployment.id);
    this.world.deployments.set(deployment.id, deployment);
    if (isNew) indexDeployment(this.world, deployment);
    this.#write('deployment', deployment.id, deployment);
    for (const app of deployment.affectedApps) this.touchApp(app);
  }

  deleteDeployment(deployment: Deployment): void {
    this.world.deployments.delete(deployment.id);
    unindexDeployment(this.world, deployment);
    this.#write('deployment', deployment.id, undefined);
    for (const app of deployment.affectedApps) this.touchApp(app);
  }

  /** Remembers a deployment that has ended, and of these the newest `maxEndedDeployments`. */
  putEndedDeployment(deployment: EndedDeployment): void {
    const { endedDeployments } = this.world;
    endedDeployments.set(deployment.id, deployment);
    this.#write('ended-deployment', deployment.id, deployment);
    for (const oldest of endedDeployments.keys()) {
      if (endedDeployments.size <= this.settings.maxEndedDeployments) return;
      endedDeployments.delete(oldest);
      this.#write('ended-deployment', oldest, undefined);
    }
  }

  /** Remembers how the task of an app failed that failed last. */
  putFailure(failure: TaskFailure): void {
    this.world.lastFailures.set(failure.appId, failure);
    this.#write('task-failure', failure.appId, failure);
  }

  putSlot(slot: Slot): void {
    const before = this.world.slots.get(slot.id);
    this.world.slots.set(slot.id, slot);
    indexSlot(this.world, before, slot);
    this.#write('slot', slot.id, slot);
    const isShownAnew =
      before?.activeEpoch !== slot.activeEpoch || before?.anchoredEpoch !== slot.anchoredEpoch;
    if (isShownAnew) this.#fabric.add(slot.id);
    this.touchSlot(slot.appId, slot.id);
  }

  deleteSlot(slot: Slot): void {
    this.world.slots.delete(slot.id);
    this.world.drained.delete(slot.id);
    this.world.anchorsHold.delete(slot.id);
    indexSlot(this.world, slot, undefined);
    this.#write('slot', slot.id, undefined);
    this.touchSlot(slot.appId, slot.id);
  }

  putInstance(instance: Instance): void {
    const before = this.world.instances.get(instance.taskId);
    this.world.instances.set(instance.taskId, instance);
    if (indexInstance(this.world, before, instance)) this.networksChanged();
    this.#write('instance', instance.taskId, instance);
    if (before === undefined || isShown(before) !== isShown(instance)) this.#fabric.add(instance.slotId);
    this.touchSlot(instance.appId, instance.slotId);
  }

  deleteInstance(instance: Instance): void {
    this.world.instances.delete(instance.taskId);
    const changesNetworks = indexInstance(this.world, instance, undefined);
    // An unreachable host counts for as long as something of ours is on it.
    const wasLost = this.world.hosts.get(instance.agentId)?.reachable === false;
    if (changesNetworks || wasLost) this.networksChanged();
    this.#write('instance', instance.taskId, undefined);
    this.#fabric.add(instance.slotId);
    this.touchSlot(instance.appId, instance.slotId);
  }

  putNetwork(network: Network): void {
    this.world.networks.set(network.name, network);
    this.world.networksChange += 1;
    this.#write('network', network.name, network);
  }

  deleteNetwork(name: NetworkName): void {
    this.world.networks.delete(name);
    this.world.networksChange += 1;
    this.world.addresses.delete(name);
    this.#write('network', name, undefined);
  }

  putReservation(reservation: Reservation): void {
    const slot = reservationSlot(reservation);
    indexReservation(this.world, this.world.reservations.get(slot), reservation);
    this.world.reservations.set(slot, reservation);
    this.#write('reservation', slot, reservation);
    this.#fabric.add(slot);
    this.networksChanged();
  }

  deleteReservation(reservation: Reservation): void {
    const slot = reservationSlot(reservation);
    this.world.reservations.delete(slot);
    indexReservation(this.world, reservation, undefined);
    this.#write('reservation', slot, undefined);
    this.#fabric.add(slot);
    this.networksChanged();
  }

  putHost(host: HostRecord): void {
    this.world.hosts.set(host.facts.agentId, host);
    this.#write('host', host.facts.agentId, host);
  }

  deleteHost(agentId: AgentId): void {
    this.world.hosts.delete(agentId);
    this.#write('host', agentId, undefined);
    this.emit({ kind: 'host-forgotten', agentId });
  }

  putExecutor(record: ExecutorRecord): void {
    this.world.executors.set(record.agentId, record);
    this.#write('executor', record.agentId, record);
  }

  deleteExecutor(agentId: AgentId): void {
    this.world.executors.delete(agentId);
    this.#write('executor', agentId, undefined);
  }

  #changed(appId: AppId): void {
    const { apps, appChanges } = this.world;
    if (apps.has(appId)) appChanges.set(appId, (appChanges.get(appId) ?? 0) + 1);
  }

  /** A group that was deleted goes when nothing is in it any more, and so do those above it. */
  #leave(id: GroupId | undefined): void {
    const group = id === undefined ? undefined : this.world.groups.get(id);
    const contents = group === undefined ? undefined : this.world.contents.get(group.id);
    const inUse = (contents?.apps.size ?? 0) + (contents?.groups.size ?? 0) > 0;
    if (group?.leaving !== true || inUse) return;
    this.world.groups.delete(group.id);
    indexGroup(this.world, group.id, false);
    this.#write('group', group.id, undefined);
    this.#leave(parentOf(group.id));
  }

  #write(kind: RecordKind, key: string, value: unknown): void {
    this.#writes.set(`${kind} ${key}`, { kind, key, value });
  }
}

const versionKey = (id: AppId, version: AppVersion): string => `${id}@${version}`;

/** The part of an instance that decides whether a view shows it; its address cannot change. */
const isShown = (instance: Instance): boolean =>
  instance.condition !== 'unreachable' && instance.fenced !== true;
