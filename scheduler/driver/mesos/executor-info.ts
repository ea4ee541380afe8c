import type { ExecutorInfo, Resource } from '../../../proto/mesos.gen.ts';
import { durationInfo } from '../../../src/mesos/duration.ts';
import type { ExecutorId, FrameworkId } from '../../../src/model/ids.ts';

export interface ExecutorOptions {
  readonly frameworkId: FrameworkId;
  /** Where the Mesos fetcher gets the executor's tarball. */
  readonly bundleUrl: string;
  /** Whom the executor runs as: it must be allowed to talk to Docker and to Open vSwitch. */
  readonly user: string;
  /** Taken of the offers of its first launch, so that they are of the kind (reservation, role) that is there. */
  readonly resources: readonly Resource[];
  /** How long the executor may take to stop its tasks before Mesos kills it. */
  readonly shutdownGraceMs: number;
}

/** The folder in the tarball. */
const folder = 'patchpanel-executor';

/**
 * What Mesos needs to start one executor. Mesos wants it identical for every task of the executor, so the result is
 * stored with the executor's id and never made again.
 */
export function executorInfo(options: ExecutorOptions, executorId: ExecutorId): ExecutorInfo {
  return {
    type: 'CUSTOM',
    executor_id: { value: executorId },
    framework_id: { value: options.frameworkId },
    name: 'Patchpanel executor',
    command: {
      shell: true,
      value: `exec ./${folder}/node ${folder}/executor.cjs`,
      user: options.user,
      uris: [{ value: options.bundleUrl, extract: true, cache: true, executable: false }],
    },
    resources: options.resources,
    shutdown_grace_period: durationInfo(options.shutdownGraceMs),
  };
}
