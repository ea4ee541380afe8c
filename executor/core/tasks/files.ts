import type { TaskId } from '../../../src/model/ids.ts';
import type { FetchItem, SecretFile } from '../../../src/model/task-spec.ts';

/** Where the container sees the task's sandbox, as with Mesos's Docker containerizer. */
export const sandboxPath = '/mnt/mesos/sandbox';

/** The files of tasks on this host. */
export interface TaskFiles {
  /** The directory that the container sees as its sandbox; it is there after prepare(). */
  sandboxOf(task: TaskId): string;
  /** The file with a secret of the task, by its number; it is there after prepare(). */
  secretOf(task: TaskId, index: number): string;
  /** Makes the sandbox and writes the secrets, in memory only. Safe to repeat. */
  prepare(task: TaskId, secrets: readonly SecretFile[]): Promise<void>;
  /**
   * Brings what is to be fetched into the sandbox, one after another.
   * @throws PatchpanelError that names the URI: `not-found`, `unavailable`, `invalid` (an archive that is none, or
   *   leads out of the sandbox), `deadline` when nothing moves, `conflict` when it is too large
   */
  fetch(
    task: TaskId,
    items: readonly FetchItem[],
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Docker's configurations with credentials: the task's own, of its sandbox, then the host's. */
  dockerConfigs(task: TaskId): Promise<readonly string[]>;
  /** Removes the sandbox and the secrets of a task that has ended. */
  remove(task: TaskId): Promise<void>;
}
