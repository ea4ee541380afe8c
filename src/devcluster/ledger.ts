import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { codeOf, PatchpanelError } from '../runtime/errors.ts';
import {
  identityOf,
  isAlive,
  processIdentitySchema,
  type ProcessIdentity,
} from '../runtime/other-processes.ts';

/** What a cluster makes on the machine and has to remove again. */
const ledgerItemSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('netns'), name: z.string() }),
  z.object({ kind: z.literal('link'), name: z.string() }),
  /** An `unreachable` route; protocol and metric tell it from everybody else's. */
  z.object({ kind: z.literal('route'), prefix: z.string(), protocol: z.int(), metric: z.int() }),
  /** Containers that carry this agent's label, in the engine behind `socket`. */
  z.object({ kind: z.literal('containers'), socket: z.string(), agentId: z.string() }),
  /** A Docker Engine of our own: its processes, its containers and its mounts. */
  z.object({ kind: z.literal('engine'), socket: z.string(), dataRoot: z.string(), execRoot: z.string() }),
  /** Whatever carries the cluster's variable at that time. */
  z.object({ kind: z.literal('processes'), cluster: z.string(), graceMs: z.int() }),
  /** A directory that goes with everything in it. */
  z.object({ kind: z.literal('directory'), path: z.string() }),
]);

export type LedgerItem = z.infer<typeof ledgerItemSchema>;

const ledgerSchema = z.object({
  schema: z.literal(1),
  name: z.string(),
  stateDir: z.string(),
  owner: processIdentitySchema,
  /** Who removes what a dead owner has left. */
  cleaner: processIdentitySchema.optional(),
  controlUrl: z.string().optional(),
  /** Oldest first. */
  items: z.array(ledgerItemSchema),
});

export type LedgerContent = z.infer<typeof ledgerSchema>;

/** Ledgers are found by the cluster's name alone and, like what they list, do not outlive a reboot. */
const ledgerDirectory = '/run/patchpanel-dev';

/** A directory for a cluster that is readable by users other than root. */
export const runDirectoryOf = (name: string): string => path.join(ledgerDirectory, name);

const fileOf = (name: string): string => path.join(ledgerDirectory, `${name}.json`);

/**
 * The list of everything that a cluster has made on the machine, so that whoever comes later can remove it.
 * INVARIANTS: an item is in the file before the thing exists and leaves it after the thing is gone; the file is
 * replaced atomically; one process, the owner, writes it.
 */
export class Ledger {
  #content: LedgerContent;
  #writing: Promise<void> = Promise.resolve();

  private constructor(content: LedgerContent) {
    this.#content = content;
  }

  /** Begins a new, empty ledger owned by this process. The name must be free: see `readLedger`. */
  static async create(name: string, stateDir: string): Promise<Ledger> {
    const ledger = new Ledger({ schema: 1, name, stateDir, owner: await ownIdentity(), items: [] });
    await mkdir(ledgerDirectory, { recursive: true });
    await ledger.#write();
    return ledger;
  }

  /** Takes over what another process, now dead, has left, and says so in the file. */
  static async adopt(content: LedgerContent): Promise<Ledger> {
    const ledger = new Ledger({ ...content, cleaner: await ownIdentity() });
    await ledger.#write();
    return ledger;
  }

  get content(): LedgerContent {
    return this.#content;
  }

  /** Resolves when the item is in the file: only then may the thing be made. */
  add(item: LedgerItem): Promise<void> {
    this.#content = { ...this.#content, items: [...this.#content.items, item] };
    return this.#write();
  }

  /** Call it when the thing is gone. */
  remove(item: LedgerItem): Promise<void> {
    this.#content = { ...this.#content, items: this.#content.items.filter((each) => each !== item) };
    return this.#write();
  }

  setControlUrl(controlUrl: string): Promise<void> {
    this.#content = { ...this.#content, controlUrl };
    return this.#write();
  }

  /** Removes the file: nothing is left. */
  async discard(): Promise<void> {
    await this.#writing;
    await rm(fileOf(this.#content.name), { force: true });
  }

  #write(): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#replaceFile());
    return this.#writing;
  }

  async #replaceFile(): Promise<void> {
    const file = fileOf(this.#content.name);
    await writeFile(`${file}.new`, `${JSON.stringify(this.#content, null, 1)}\n`);
    await rename(`${file}.new`, file);
  }
}

async function ownIdentity(): Promise<ProcessIdentity> {
  const identity = await identityOf(process.pid);
  if (identity === undefined) throw new PatchpanelError('external', 'cannot read /proc: is it mounted?');
  return identity;
}

/**
 * The ledger of that name, undefined when there is none.
 * @throws PatchpanelError `corrupt` when the file is not a ledger
 */
export async function readLedger(name: string): Promise<LedgerContent | undefined> {
  let text: string;
  try {
    text = await readFile(fileOf(name), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return ledgerSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new PatchpanelError(
      'corrupt',
      `${fileOf(name)} is not a list of a dev cluster's parts: remove it`,
      {
        cause: error,
      },
    );
  }
}

/** Names of all clusters that have a ledger. */
export async function ledgerNames(): Promise<readonly string[]> {
  try {
    const files = await readdir(ledgerDirectory);
    return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Whether the process that made the cluster still runs. */
export const isOwned = (content: LedgerContent): Promise<boolean> => isAlive(content.owner);

/** Whether another process is removing what the cluster has left. */
export async function isBeingCleaned({ cleaner }: LedgerContent): Promise<boolean> {
  return cleaner !== undefined && cleaner.pid !== process.pid && (await isAlive(cleaner));
}
