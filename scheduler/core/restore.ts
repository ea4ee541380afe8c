import {
  appId,
  agentId,
  deploymentId,
  frameworkId,
  groupId,
  networkName,
  taskId,
  versionAt,
} from '../../src/model/ids.ts';
import type { App } from '../../src/model/app.ts';
import type { Deployment, EndedDeployment } from '../../src/model/deployment.ts';
import { rootGroupId } from '../../src/model/group.ts';
import type { Group, Revision } from '../../src/model/group.ts';
import type { HostRecord } from '../../src/model/host.ts';
import type { Instance, Slot } from '../../src/model/instance.ts';
import type { Network } from '../../src/model/network.ts';
import { reservationSlot, type Reservation } from '../../src/model/reservation.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import type { StoredRecord } from '../store/store.ts';
import {
  indexApp,
  indexDeployment,
  indexGroup,
  indexInstance,
  indexReservation,
  indexRevision,
  indexSlot,
  indexVersion,
} from './tables.ts';
import { Timers } from './timers.ts';
import type { ExecutorRecord, TaskFailure, World } from './world.ts';

/** The key of the `meta` record that holds the framework id. */
export const frameworkIdKey = 'framework-id';

/** A world with nothing in it. */
export function createWorld(): World {
  return {
    frameworkId: undefined,
    apps: new Map(),
    versions: new Map(),
    groups: new Map([[rootGroupId, { id: rootGroupId, dependencies: [], version: versionAt(0) }]]),
    revisions: new Map(),
    revisedApps: 0,
    deployments: new Map(),
    endedDeployments: new Map(),
    slots: new Map(),
    instances: new Map(),
    networks: new Map(),
    reservations: new Map(),
    hosts: new Map(),
    executors: new Map(),
    contents: new Map(),
    slotsOfApp: new Map(),
    instancesOfSlot: new Map(),
    instancesOfAgent: new Map(),
    unreachableOfAgent: new Map(),
    appChanges: new Map(),
    networksChange: 0,
    taskCounts: new Map(),
    jobs: new Map(),
    addresses: new Map(),
    appsByName: new Map(),
    servicePorts: new Map(),
    exposures: new Map(),
    forwarding: new Map(),
    progress: new Map(),
    anchorsHold: new Map(),
    drained: new Map(),
    wanting: new Set(),
    timers: new Timers(),
    primed: false,
    launchDelays: new Map(),
    lastFailures: new Map(),
    unplaced: new Map(),
    unfitHosts: new Map(),
    reconciling: new Map(),
    unknownSince: new Map(),
    subscribed: false,
    subscribedAt: undefined,
    listeningSince: undefined,
    suppressed: false,
    revivesPaidUntil: 0,
    revivedAt: 0,
    places: new Map(),
    launchWindow: { startedAt: 0, used: 0 },
  };
}

/**
 * Fills a world from what the store holds, in any order and in any number of calls before the first event. What is
 * derived (progress, timers) is rebuilt by the first event.
 * @throws PatchpanelError `corrupt` for a record of a kind that this build does not know
 */
export function restore(world: World, records: Iterable<StoredRecord>): void {
  for (const record of records) restoreRecord(world, record);
}

function restoreRecord(world: World, { kind, key, value }: StoredRecord): void {
  switch (kind) {
    case 'app':
      world.apps.set(appId(key), value as App);
      indexApp(world, undefined, value as App);
      return;
    case 'app-version':
      indexVersion(world, value as App);
      return;
    case 'group':
      world.groups.set(groupId(key), value as Group);
      indexGroup(world, groupId(key), true);
      return;
    case 'revision':
      indexRevision(world, value as Revision);
      return;
    case 'deployment':
      world.deployments.set(deploymentId(key), value as Deployment);
      indexDeployment(world, value as Deployment);
      return;
    case 'ended-deployment':
      world.endedDeployments.set(deploymentId(key), value as EndedDeployment);
      return;
    case 'task-failure':
      world.lastFailures.set(appId(key), value as TaskFailure);
      return;
    case 'slot': {
      const slot = value as Slot;
      world.slots.set(slot.id, slot);
      indexSlot(world, undefined, slot);
      return;
    }
    case 'instance': {
      world.instances.set(taskId(key), value as Instance);
      indexInstance(world, undefined, value as Instance);
      return;
    }
    case 'network':
      world.networks.set(networkName(key), value as Network);
      return;
    case 'reservation': {
      const reservation = value as Reservation;
      world.reservations.set(reservationSlot(reservation), reservation);
      indexReservation(world, undefined, reservation);
      return;
    }
    case 'host':
      world.hosts.set(agentId(key), value as HostRecord);
      return;
    case 'executor':
      world.executors.set(agentId(key), value as ExecutorRecord);
      return;
    case 'meta':
      if (key === frameworkIdKey) world.frameworkId = frameworkId(String(value));
      return;
    default:
      throw unknownKind(kind, key);
  }
}

function unknownKind(kind: never, key: string): PatchpanelError {
  return new PatchpanelError(
    'corrupt',
    `the store holds a record "${key}" of the unknown kind "${String(kind)}"; start the version of Patchpanel that wrote it`,
    { context: { kind, key } },
  );
}
