import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, PatchpanelError, messageOf } from '../../src/runtime/errors.ts';
import { nextPortNumber, type PortNumber } from '../core/fabric/numbers.ts';

/** Serials are reserved on disk in blocks of this many, so that an attach rarely writes a file. */
const BLOCK = 256;

/**
 * Hands out port numbers and veth names.
 * INVARIANT: a serial that was handed out is below the mark on disk, so no later run hands it out again.
 */
export class Serials {
  readonly #path: string;
  #next: number;
  #reserved: number;

  /**
   * Goes on after the mark in the file and after `atLeast`, whichever is later.
   * @throws PatchpanelError `corrupt` when the file holds something else
   */
  constructor(path: string, atLeast: number) {
    this.#path = path;
    this.#next = Math.max(readMark(path), atLeast);
    this.#reserved = this.#next;
  }

  /** @throws PatchpanelError `unavailable` when every OpenFlow port of the ring is in use */
  take(usedOfports: ReadonlySet<number>): PortNumber {
    const number = nextPortNumber(this.#next, usedOfports);
    if (number === undefined)
      throw new PatchpanelError('unavailable', 'all port numbers of the switch are in use');
    if (number.serial >= this.#reserved) this.#reserve(number.serial + BLOCK);
    this.#next = number.serial + 1;
    return number;
  }

  #reserve(mark: number): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const draft = `${this.#path}.new`;
    writeFileSync(draft, `${mark}\n`);
    renameSync(draft, this.#path);
    this.#reserved = mark;
  }
}

function readMark(path: string): number {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw new PatchpanelError('external', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (/^\d{1,15}\n$/.test(text)) return Number(text);
  throw new PatchpanelError('corrupt', `${path} does not hold a number: delete it if no container runs`);
}
