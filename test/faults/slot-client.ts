import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { answered, blindUntil, longestOutage, newPeriod, type Answers, type Outage } from './outages.ts';

/** A client of slots in the network namespace of a task, which may have to be started again elsewhere. */
export class SlotClient {
  #child: ChildProcess | undefined;
  #pid = 0;
  #addresses: readonly string[] = [];
  #answers: Answers = newPeriod(performance.now());
  readonly #servers = new Map<string, readonly string[]>();

  /** Asks these addresses from that process's namespace from now on; nothing changes when it does so already. */
  follow(pid: number, addresses: readonly string[]): void {
    if (pid === this.#pid && addresses.join() === this.#addresses.join()) return;
    this.stop();
    [this.#pid, this.#addresses] = [pid, addresses];
    this.#answers = blindUntil(this.#answers, performance.now());
    const program = path.resolve(import.meta.dirname, 'slot-client.mjs');
    const argv = ['--target', String(pid), '--net', process.execPath, program, ...addresses];
    const child = spawn('nsenter', argv, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (this.#child !== child) return;
      const [ip = '', task = ''] = line.split(' ');
      this.#answers = answered(this.#answers, ip, performance.now());
      const before = this.#servers.get(ip) ?? [];
      if (before.at(-1) !== task) this.#servers.set(ip, [...before, task]);
    });
  }

  /** The tasks that answered under an address, in turn: one that answered again after another one is there twice. */
  servers(address: string): readonly string[] {
    return this.#servers.get(address) ?? [];
  }

  beginPeriod(): void {
    this.#answers = { ...newPeriod(performance.now()), last: this.#answers.last };
  }

  /** When the address answered last, in milliseconds as performance.now() counts; 0: never. */
  lastAnswer(address: string): number {
    return this.#answers.last.get(address) ?? 0;
  }

  /** The longest outage since the beginning of the period, so far. */
  outage(): Outage {
    return longestOutage(this.#answers, this.#addresses, performance.now());
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
    this.#pid = 0;
  }
}
