import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { recordFromWire, recordToWire } from '../../../src/fabric/view-wire.ts';
import type { View } from '../../../src/fabric/view.ts';
import { codeOf } from '../../../src/runtime/errors.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { parseLeader, type LeaderKnowledge } from '../../core/fabric/leader.ts';
import { viewCodec } from './view-codec.ts';

/**
 * The last good view and where the leader is, on disk, so that an executor that starts while no scheduler can be
 * reached still knows them. Files are replaced as a whole; one that cannot be read counts as missing.
 */
export class StateFiles {
  readonly #directory: string;
  readonly #origin: string;
  readonly #log: Logger;
  #lastSave: Promise<void> = Promise.resolve();

  /** @param origin whose state it is; files of another origin count as missing */
  constructor(directory: string, origin: string, log: Logger) {
    this.#directory = directory;
    this.#origin = origin;
    this.#log = log;
  }

  loadView(): Promise<View | undefined> {
    return this.#load('view.json', (content) => {
      const bytes = Buffer.from(JSON.stringify(content));
      const record = recordFromWire(viewCodec.decode('ViewRecord', bytes, 'json'));
      return record.kind === 'snapshot' ? record.view : undefined;
    });
  }

  /** The text is made before this returns; a view in force needs no check, which the codec would take its time for. */
  saveView(view: View): Promise<void> {
    return this.#save('view.json', JSON.stringify(recordToWire({ kind: 'snapshot', view })));
  }

  async loadLeader(): Promise<LeaderKnowledge> {
    return (await this.#load('leader.json', parseLeader)) ?? {};
  }

  saveLeader(leader: LeaderKnowledge): Promise<void> {
    return this.#save('leader.json', JSON.stringify(leader));
  }

  async #load<T>(name: string, parse: (content: unknown) => T): Promise<T | undefined> {
    const path = join(this.#directory, name);
    try {
      const { origin, content } = JSON.parse(await readFile(path, 'utf8')) as {
        origin?: unknown;
        content?: unknown;
      };
      if (origin === this.#origin) return parse(content);
      this.#log.info('a state file is of another origin and not used', { path, origin });
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#log.warn('a state file cannot be used', { path, error });
    }
    return undefined;
  }

  /** One after the other, so that the newest is what stays. */
  #save(name: string, json: string): Promise<void> {
    const text = `{"origin":${JSON.stringify(this.#origin)},"content":${json}}\n`;
    const save = this.#lastSave.then(() => this.#replace(join(this.#directory, name), text));
    this.#lastSave = save.catch(() => undefined);
    return save;
  }

  async #replace(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }
}
