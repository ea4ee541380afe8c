import type { AppId, AppVersion, NetworkName, PathId } from './ids.ts';

/**
 * An app as Patchpanel thinks of it: Marathon's 1.5+ form after normalisation, every default filled in. Marathon's
 * JSON (old forms, optional fields, run-time fields) exists only in scheduler/api.
 */
export interface App {
  readonly id: AppId;
  /** Run as `/bin/sh -c cmd`; exclusive with args. */
  readonly cmd?: string;
  /** Arguments for the image's entrypoint; exclusive with cmd. */
  readonly args: readonly string[];
  readonly instances: number;
  readonly cpus: number;
  /** MiB */
  readonly mem: number;
  /** MiB */
  readonly disk: number;
  readonly gpus: number;
  readonly env: Readonly<Record<string, string | SecretReference>>;
  /** What apps call secrets by, and where the scheduler finds them; the values are kept nowhere. */
  readonly secrets?: Readonly<Record<string, { readonly source: string }>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly user?: string;
  /** With a terminal instead of two streams of output. */
  readonly tty?: boolean;
  /** Hard limits; without them cpus are shares, and mem is the limit of memory. */
  readonly resourceLimits?: ResourceLimits;
  readonly container: Container;
  readonly network: AppNetwork;
  /** Host-mode ports; empty for other modes. */
  readonly portDefinitions: readonly PortDefinition[];
  readonly requirePorts: boolean;
  readonly constraints: readonly Constraint[];
  readonly acceptedResourceRoles: readonly string[];
  readonly role: string;
  /** Apps, or groups of apps, that a deployment brings up before this one. One that does not exist is nothing. */
  readonly dependencies: readonly PathId[];
  readonly fetch: readonly FetchUri[];
  readonly healthChecks: readonly HealthCheck[];
  readonly readinessChecks: readonly ReadinessCheck[];
  readonly backoffSeconds: number;
  readonly backoffFactor: number;
  readonly maxLaunchDelaySeconds: number;
  readonly upgradeStrategy: UpgradeStrategy;
  /** 'disabled': an unreachable instance is waited for. */
  readonly unreachableStrategy: UnreachableStrategy | 'disabled';
  readonly killSelection: 'YOUNGEST_FIRST' | 'OLDEST_FIRST';
  readonly taskKillGracePeriodSeconds?: number;
  readonly executor: string;
  /** Set by the scheduler at each accepted change. */
  readonly version: AppVersion;
  readonly versionInfo: {
    readonly lastScalingAt: AppVersion;
    /** Tells old instances from new ones: an instance is up to date when its own is equal. */
    readonly lastConfigChangeAt: AppVersion;
  };
}

export interface Container {
  readonly image: string;
  readonly forcePullImage: boolean;
  readonly privileged: boolean;
  /** Raw docker options, from the allow-list only. */
  readonly parameters: readonly { readonly key: string; readonly value: string }[];
  readonly volumes: readonly Volume[];
  /** A Docker configuration with the credentials for the image's registry. */
  readonly pullConfig?: SecretReference;
  readonly portMappings: readonly PortMapping[];
}

/** Names one of the app's `secrets`. */
export interface SecretReference {
  readonly secret: string;
}

export interface ResourceLimits {
  readonly cpus?: number | 'unlimited';
  /** MiB */
  readonly mem?: number | 'unlimited';
}

export type Volume = HostVolume | SecretVolume;

/** A file with a secret. */
export interface SecretVolume extends SecretReference {
  /** Relative ones are in the sandbox. */
  readonly containerPath: string;
}

export interface HostVolume {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly mode: 'RO' | 'RW';
}

/**
 * How an instance is reached: a slot address on a network of the switch, or the host's own network. `bridge`: a slot
 * address whose ports all have one of the host, and a way out as the host, whatever the network says.
 */
export type AppNetwork =
  | {
      readonly mode: 'container' | 'bridge';
      readonly name: NetworkName;
      readonly labels: Readonly<Record<string, string>>;
      /** Addresses pinned by the label `patchpanel.ip`, in slot order; empty: the next free one. */
      readonly pinned: readonly string[];
    }
  | { readonly mode: 'host' };

export interface PortMapping {
  readonly containerPort: number;
  readonly hostPort?: number;
  readonly servicePort: number;
  readonly protocol: 'tcp' | 'udp' | 'udp,tcp';
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PortDefinition {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp' | 'udp,tcp';
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
}

export type ConstraintOperator = 'UNIQUE' | 'CLUSTER' | 'GROUP_BY' | 'LIKE' | 'UNLIKE' | 'MAX_PER' | 'IS';

export interface Constraint {
  /** `hostname`, `@hostname`, `@region`, `@zone` or the name of an agent attribute. */
  readonly field: string;
  readonly operator: ConstraintOperator;
  readonly value?: string;
}

export interface FetchUri {
  readonly uri: string;
  readonly extract: boolean;
  readonly executable: boolean;
  readonly cache: boolean;
  readonly destPath?: string;
}

export type HealthCheckProtocol =
  'HTTP' | 'HTTPS' | 'TCP' | 'COMMAND' | 'MESOS_HTTP' | 'MESOS_HTTPS' | 'MESOS_TCP';

export interface HealthCheck {
  readonly protocol: HealthCheckProtocol;
  readonly path?: string;
  readonly portIndex?: number;
  readonly port?: number;
  readonly command?: string;
  readonly gracePeriodSeconds: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly maxConsecutiveFailures: number;
  readonly delaySeconds: number;
  readonly ignoreHttp1xx: boolean;
}

export interface ReadinessCheck {
  readonly name: string;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly path: string;
  readonly portName: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly httpStatusCodesForReady: readonly number[];
  readonly preserveLastResponse: boolean;
}

export interface UpgradeStrategy {
  readonly maximumOverCapacity: number;
  readonly minimumHealthCapacity: number;
}

export interface UnreachableStrategy {
  readonly inactiveAfterSeconds: number;
  readonly expungeAfterSeconds: number;
}

/** The service ports of an app, in the order of its ports. */
export const servicePortsOf = ({ container, portDefinitions }: App): number[] => [
  ...container.portMappings.map(({ servicePort }) => servicePort),
  ...portDefinitions.map(({ port }) => port),
];
