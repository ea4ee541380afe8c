import type { FrameworkInfo } from '../../../proto/mesos.gen.ts';
import type { FrameworkId } from '../../../src/model/ids.ts';

/** The part of the configuration that Mesos is told of us. */
export interface FrameworkOptions {
  readonly user: string;
  readonly frameworkName: string;
  readonly role: string;
  /** Set whenever the master authenticates frameworks; it may not change later. */
  readonly principal?: string;
  readonly hostname: string;
  /** Where people find us. */
  readonly webUiUrl: string;
  /** How long our tasks outlive us, seconds. */
  readonly failoverTimeoutSeconds: number;
}

/** What we need of Mesos: see the design, section 5. */
const capabilities = [
  'PARTITION_AWARE',
  'TASK_KILLING_STATE',
  'MULTI_ROLE',
  'REGION_AWARE',
  'RESERVATION_REFINEMENT',
] as const;

/** How we introduce ourselves at each SUBSCRIBE. `user`, `checkpoint` and `principal` can never change for one id. */
export function frameworkInfo(options: FrameworkOptions, id: FrameworkId): FrameworkInfo {
  return {
    user: options.user,
    name: options.frameworkName,
    id: { value: id },
    roles: [options.role],
    capabilities: capabilities.map((type) => ({ type })),
    checkpoint: true,
    failover_timeout: options.failoverTimeoutSeconds,
    hostname: options.hostname,
    webui_url: options.webUiUrl,
    ...(options.principal === undefined ? {} : { principal: options.principal }),
  };
}
