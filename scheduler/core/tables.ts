import { servicePortsOf, type App } from '../../src/model/app.ts';
import type { Deployment } from '../../src/model/deployment.ts';
import { parentOf, rootGroupId } from '../../src/model/group.ts';
import type { Revision } from '../../src/model/group.ts';
import type { AppId, GroupId, SlotId, TaskId } from '../../src/model/ids.ts';
import type { Instance, Lease, Slot } from '../../src/model/instance.ts';
import { reservationSlot, type Reservation } from '../../src/model/reservation.ts';
import { parseIpv4 } from '../../src/fabric/ipv4.ts';
import { appName } from '../../src/fabric/names.ts';
import { exposedPorts } from './fabric/exposed-ports.ts';
import { isNone, noTasks, recounted } from './slots/task-counts.ts';
import type { AddressBook, GroupContents, World } from './world.ts';

/** Keeps the indexes of slots: `before` is what the table held, `after` what it holds now. */
export function indexSlot(world: World, before: Slot | undefined, after: Slot | undefined): void {
  const slot = after ?? before;
  if (slot === undefined) return;
  if (before?.lease !== undefined) dropHolder(world, before.lease, slot.id);
  if (after?.lease !== undefined) addHolder(world, after.lease, slot.id);
  if (after === undefined) removeFrom(world.slotsOfApp, slot.appId, slot.id);
  else addTo(world.slotsOfApp, slot.appId, slot.id);
}

/**
 * Keeps the indexes of instances: `before` is what the table held, `after` what it holds now. True when its network
 * has its first or has lost its last instance with a port of its host.
 */
export function indexInstance(
  world: World,
  before: Instance | undefined,
  after: Instance | undefined,
): boolean {
  const instance = after ?? before;
  if (instance === undefined) return false;
  if (before?.lease !== undefined) dropHolder(world, before.lease, instance.taskId);
  if (after?.lease !== undefined) addHolder(world, after.lease, instance.taskId);
  if (after === undefined) {
    removeFrom(world.instancesOfSlot, instance.slotId, instance.taskId);
    removeFrom(world.instancesOfAgent, instance.agentId, instance.taskId);
  } else {
    addTo(world.instancesOfSlot, instance.slotId, instance.taskId);
    addTo(world.instancesOfAgent, instance.agentId, instance.taskId);
  }
  if (after?.condition === 'unreachable') addTo(world.unreachableOfAgent, instance.agentId, instance.taskId);
  else removeFrom(world.unreachableOfAgent, instance.agentId, instance.taskId);
  indexCounts(world, instance.appId, before, after);
  return indexForwarding(world, instance, after !== undefined);
}

function indexCounts(
  { taskCounts }: World,
  appId: AppId,
  before: Instance | undefined,
  after: Instance | undefined,
): void {
  const counts = recounted(taskCounts.get(appId) ?? noTasks, before, after);
  if (isNone(counts)) taskCounts.delete(appId);
  else taskCounts.set(appId, counts);
}

function indexForwarding({ forwarding }: World, instance: Instance, present: boolean): boolean {
  const { lease, hostPorts, bridged, taskId } = instance;
  if (lease === undefined || (bridged !== true && hostPorts.length === 0)) return false;
  const had = forwarding.has(lease.network);
  if (present) addTo(forwarding, lease.network, taskId);
  else removeFrom(forwarding, lease.network, taskId);
  return had !== forwarding.has(lease.network);
}

/** Keeps the books of addresses: `before` is what the table held, `after` what it holds now. */
export function indexReservation(
  world: World,
  before: Reservation | undefined,
  after: Reservation | undefined,
): void {
  if (before !== undefined) dropHolder(world, before, reservationSlot(before));
  if (after !== undefined) addHolder(world, after, reservationSlot(after));
}

/**
 * Keeps the indexes of apps: `before` is what the table held, `after` what it holds now. True when it publishes ports
 * or did.
 */
export function indexApp(world: World, before: App | undefined, after: App | undefined): boolean {
  const id = (after ?? before)?.id;
  if (id === undefined) return false;
  const group = contentsOf(world, id);
  if (after === undefined) {
    group.apps.delete(id);
    removeFrom(world.appsByName, appName(id), id);
  } else {
    group.apps.add(id);
    addTo(world.appsByName, appName(id), id);
  }
  for (const port of before === undefined ? [] : servicePortsOf(before)) count(world.servicePorts, port, -1);
  for (const port of after === undefined ? [] : servicePortsOf(after)) count(world.servicePorts, port, 1);
  const ports = after === undefined ? [] : exposedPorts(after);
  const had = world.exposures.delete(id);
  if (ports.length > 0) world.exposures.set(id, ports);
  return had || ports.length > 0;
}

/** Keeps the index of groups; `present` false: it is gone. */
export function indexGroup(world: World, id: GroupId, present: boolean): void {
  if (!present) world.contents.delete(id);
  if (parentOf(id) === undefined) return;
  const group = contentsOf(world, id);
  if (present) group.groups.add(id);
  else group.groups.delete(id);
}

/** What is in the group that an app or a group is in. */
function contentsOf(world: World, id: AppId | GroupId): GroupContents {
  const parent = parentOf(id) ?? rootGroupId;
  const known = world.contents.get(parent);
  if (known !== undefined) return known;
  const contents: GroupContents = { apps: new Set(), groups: new Set() };
  world.contents.set(parent, contents);
  return contents;
}

/** Adds what a change replaced. */
export function indexRevision(world: World, revision: Revision): void {
  world.revisions.set(revision.version, revision);
  world.revisedApps += Object.keys(revision.apps).length;
}

/** Forgets what the oldest change replaced. */
export function unindexRevision(world: World, revision: Revision): void {
  world.revisions.delete(revision.version);
  world.revisedApps -= Object.keys(revision.apps).length;
}

/** Adds an older definition of an app. */
export function indexVersion(world: World, app: App): void {
  const versions = world.versions.get(app.id);
  if (versions === undefined) world.versions.set(app.id, new Map([[app.version, app]]));
  else versions.set(app.version, app);
}

/** Notes what a deployment does with each of its apps. A start does nothing by itself: the scaling after it does. */
export function indexDeployment(world: World, deployment: Deployment): void {
  for (const [step, { actions }] of deployment.steps.entries()) {
    for (const { action, app } of actions) world.jobs.set(app, { deploymentId: deployment.id, action, step });
  }
}

/** Forgets the jobs of a deployment that ended. */
export function unindexDeployment(world: World, deployment: Deployment): void {
  for (const app of deployment.affectedApps) {
    if (world.jobs.get(app)?.deploymentId === deployment.id) world.jobs.delete(app);
  }
}

/** The addresses of a network that are held; made empty when there are none. */
export function addressBook(world: World, network: Lease['network']): AddressBook {
  const known = world.addresses.get(network);
  if (known !== undefined) return known;
  const book: AddressBook = { holders: new Map(), firstFree: 0 };
  world.addresses.set(network, book);
  return book;
}

/** The incarnations of a slot, oldest first. */
export function incarnationsOf(world: World, slotId: SlotId): Instance[] {
  const found: Instance[] = [];
  for (const taskId of world.instancesOfSlot.get(slotId) ?? ([] as TaskId[])) {
    const instance = world.instances.get(taskId);
    if (instance !== undefined) found.push(instance);
  }
  return found.length > 1 ? found.sort((a, b) => a.epoch - b.epoch) : found;
}

type Held = Pick<Lease, 'network' | 'ip'>;

function addHolder(world: World, lease: Held, holder: SlotId | TaskId): void {
  addTo(addressBook(world, lease.network).holders, lease.ip, holder);
}

function dropHolder(world: World, lease: Held, holder: SlotId | TaskId): void {
  const book = addressBook(world, lease.network);
  removeFrom(book.holders, lease.ip, holder);
  if (!book.holders.has(lease.ip)) book.firstFree = Math.min(book.firstFree, parseIpv4(lease.ip));
}

function count(counts: Map<number, number>, key: number, change: number): void {
  const now = (counts.get(key) ?? 0) + change;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}

function addTo<K, V>(index: Map<K, Set<V>>, key: K, value: V): void {
  const set = index.get(key);
  if (set === undefined) index.set(key, new Set([value]));
  else set.add(value);
}

function removeFrom<K, V>(index: Map<K, Set<V>>, key: K, value: V): void {
  const set = index.get(key);
  set?.delete(value);
  if (set?.size === 0) index.delete(key);
}
