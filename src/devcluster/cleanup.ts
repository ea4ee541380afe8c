import { rm } from 'node:fs/promises';
import { sleep } from '../runtime/deadline.ts';
import { PatchpanelError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { answers, engineAt, removeContainers } from './engine-client.ts';
import {
  isBeingCleaned,
  isOwned,
  Ledger,
  ledgerNames,
  readLedger,
  type LedgerContent,
  type LedgerItem,
} from './ledger.ts';
import { deleteLink, deleteNetns, deleteUnreachable } from './links.ts';
import { removePrivateEngine } from './private-engine.ts';
import { endProcesses } from '../runtime/other-processes.ts';
import { processesInNetns, processesOfCluster } from './processes.ts';

/** Label that the executor gives to each of its containers. */
export const agentLabel = 'patchpanel.agent';

/** What goes first: nothing may still use what is removed. */
const order: readonly LedgerItem['kind'][] = [
  'processes',
  'containers',
  'engine',
  'netns',
  'link',
  'route',
  'directory',
];

/** A signal from the terminal also ends the small programs that remove things: what failed is tried again. */
const attempts = 3;

/**
 * Removes everything that a ledger lists and then the ledger. What fails is logged, the rest is still removed, and
 * the ledger stays with what is left.
 * @throws PatchpanelError `external` that names what could not be removed
 */
export async function removeAll(ledger: Ledger, log: Logger): Promise<void> {
  for (let attempt = 1; attempt <= attempts && ledger.content.items.length > 0; attempt += 1)
    await removeEach(ledger, log);
  const { name, items } = ledger.content;
  if (items.length === 0) return ledger.discard();
  const left = items.map(describe).join(', ');
  throw new PatchpanelError('external', `could not remove ${left}: try patchpanel dev clean --name ${name}`);
}

async function removeEach(ledger: Ledger, log: Logger): Promise<void> {
  const rank = (item: LedgerItem) => order.indexOf(item.kind);
  for (const item of ledger.content.items.toSorted((a, b) => rank(a) - rank(b))) {
    try {
      await removeItem(item);
      await ledger.remove(item);
    } catch (error) {
      log.warn('could not remove a part of the dev cluster', { item, error });
    }
  }
}

async function removeItem(item: LedgerItem): Promise<void> {
  switch (item.kind) {
    case 'netns':
      await endProcesses(await processesInNetns(item.name), 0);
      return deleteNetns(item.name);
    case 'link':
      return deleteLink(item.name);
    case 'route':
      return deleteUnreachable(item);
    case 'containers':
      if (await answers(item.socket))
        await removeContainers(engineAt(item.socket, false).client, `${agentLabel}=${item.agentId}`);
      return;
    case 'engine':
      return removePrivateEngine(item);
    case 'processes':
      return endProcesses(await processesOfCluster(item.cluster), item.graceMs);
    case 'directory':
      return rm(item.path, { recursive: true, force: true });
  }
}

function describe(item: LedgerItem): string {
  switch (item.kind) {
    case 'netns':
      return `network namespace ${item.name}`;
    case 'link':
      return `link ${item.name}`;
    case 'route':
      return `route ${item.prefix}`;
    case 'containers':
      return `containers of agent ${item.agentId}`;
    case 'engine':
      return `Docker Engine at ${item.socket}`;
    case 'processes':
      return `processes of ${item.cluster}`;
    case 'directory':
      return `directory ${item.path}`;
  }
}

/** Time for another process that cleans already. */
const otherCleanerMs = 60_000;

/**
 * Removes what a cluster that no longer runs has left; false when there was nothing. When another process (the guard)
 * is at it, waits for that one.
 * @throws PatchpanelError `conflict` when the cluster still runs
 */
export async function cleanCluster(name: string, log: Logger): Promise<boolean> {
  const end = performance.now() + otherCleanerMs;
  let content = await readLedger(name);
  if (content === undefined) return false;
  while (content !== undefined && (await isBeingCleaned(content)) && performance.now() < end) {
    await sleep(100);
    content = await readLedger(name);
  }
  if (content === undefined) return true;
  if (await isOwned(content)) throw stillRuns(content);
  await removeAll(await Ledger.adopt(content), log);
  return true;
}

function stillRuns({ name, owner: { pid } }: LedgerContent): PatchpanelError {
  return new PatchpanelError(
    'conflict',
    `the dev cluster ${name} runs (process ${pid}): stop it with Ctrl-C or kill -TERM ${pid}`,
  );
}

/** Cleans every cluster whose process is gone; gives their names. */
export async function cleanDeadClusters(log: Logger): Promise<readonly string[]> {
  const cleaned: string[] = [];
  for (const name of await ledgerNames()) {
    const content = await readLedger(name);
    if (content === undefined || (await isOwned(content))) continue;
    if (await cleanCluster(name, log)) cleaned.push(name);
  }
  return cleaned;
}
