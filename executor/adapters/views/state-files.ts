import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { recordFromWire, recordToWire } from '../../../src/fabric/view-wire.ts';
import type { View } from '../../../src/fabric/view.ts';
import { codeOf } from '../../../src/runtime/errors.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { parseLeader, type LeaderKnowledge } from '../../core/fabric-leader.ts';
import { viewCodec } from './view-codec.ts';

/**
 * The last good view and where the leader is, on disk, so that an executor that starts while no scheduler can be
 * reached still knows them. Files are replaced as a whole; one that cannot be read counts as missing.
 */
export class StateFiles {
  readonly #directory: string;
  readonly #log: Logger;
  #lastSave: Promise<void> = Promise.resolve();

  constructor(directory: string, log: Logger) {
    this.#directory = directory;
    this.#log = log;
  }

  loadView(): Promise<View | undefined> {
    return this.#load('view.json', (bytes) => {
      const record = recordFromWire(viewCodec.decode('ViewRecord', bytes, 'json'));
      return record.kind === 'snapshot' ? record.view : undefined;
    });
  }

  saveView(view: View): Promise<void> {
    const message = recordToWire({ kind: 'snapshot', view });
    return this.#save('view.json', viewCodec.encode('ViewRecord', message, 'json'));
  }

  async loadLeader(): Promise<LeaderKnowledge> {
    return (
      (await this.#load('leader.json', (bytes) => parseLeader(JSON.parse(bytes.toString('utf8'))))) ?? {}
    );
  }

  saveLeader(leader: LeaderKnowledge): Promise<void> {
    return this.#save('leader.json', Buffer.from(JSON.stringify(leader)));
  }

  async #load<T>(name: string, parse: (bytes: Buffer) => T): Promise<T | undefined> {
    const path = join(this.#directory, name);
    try {
      return parse(await readFile(path));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#log.warn('a state file cannot be used', { path, error });
      return undefined;
    }
  }

  /** One after the other, so that the newest is what stays. */
  #save(name: string, bytes: Uint8Array): Promise<void> {
    const save = this.#lastSave.then(() => this.#replace(join(this.#directory, name), bytes));
    this.#lastSave = save.catch(() => undefined);
    return save;
  }

  async #replace(path: string, bytes: Uint8Array): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, bytes);
    await rename(`${path}.new`, path);
  }
}
