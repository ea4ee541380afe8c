import axios from 'axios';
import { PatchpanelError } from '../runtime/errors.ts';
import type { DevClusterStatus, DevSchedulerStatus } from './options.ts';
import type { SchedulerProcess } from './scheduler-process.ts';

/** The schedulers of a cluster: none, one that has its state for itself, or several of which one leads. */
export class SchedulerGroup {
  readonly members: readonly SchedulerProcess[];

  constructor(members: readonly SchedulerProcess[]) {
    this.members = members;
  }

  /** Whether one of them runs. */
  get state(): DevClusterStatus['scheduler'] {
    if (this.members.length === 0) return 'none';
    return this.members.some(({ running }) => running) ? 'running' : 'stopped';
  }

  status(): readonly DevSchedulerStatus[] {
    return this.members.map(({ apiUrl, running }) => ({ apiUrl, state: running ? 'running' : 'stopped' }));
  }

  /**
   * The one that leads, by what the others say.
   * @throws PatchpanelError `conflict` when none is known to lead
   */
  async leader(): Promise<SchedulerProcess> {
    const running = this.members.filter((member) => member.running);
    if (this.members.length === 1 && running[0] !== undefined) return running[0];
    for (const member of running) {
      const answer = await axios
        .get<{ leader?: string }>(`${member.apiUrl}/v2/leader`, { timeout: 2_000, proxy: false })
        .catch(() => undefined);
      const leader = running.find(({ advertised }) => advertised === answer?.data.leader);
      if (leader !== undefined) return leader;
    }
    throw new PatchpanelError('conflict', 'no scheduler leads at the moment');
  }

  /** SIGKILL to the one that leads; a single one may be dead already. */
  async killLeader(): Promise<void> {
    this.#requireSome();
    const [first] = this.members;
    const target = this.members.length === 1 ? first : await this.leader();
    await target?.kill();
  }

  /** Starts those that do not run; when all run, ends the leading one and starts it again. */
  async restart(): Promise<void> {
    this.#requireSome();
    const stopped = this.members.filter(({ running }) => !running);
    const targets = stopped.length > 0 ? stopped : [await this.leader()];
    for (const target of targets) {
      await target.stop();
      await target.start();
    }
  }

  #requireSome(): void {
    if (this.members.length > 0) return;
    throw new PatchpanelError('conflict', 'this cluster was started without a scheduler');
  }
}
