/** The parts of the API's answers that the command line shows. */
export interface AppInfo {
  readonly id: string;
  readonly instances: number;
  readonly cpus: number;
  readonly mem: number;
  readonly version: string;
  readonly container?: { readonly docker?: { readonly image?: string } };
  readonly dependencies?: readonly string[];
  readonly networks?: readonly { readonly mode?: string; readonly name?: string }[];
  readonly env?: Readonly<Record<string, string>>;
  readonly tasksStaged: number;
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly tasksUnhealthy: number;
  readonly deployments: readonly { readonly id: string }[];
  readonly tasks?: readonly TaskInfo[];
  readonly lastTaskFailure?: {
    readonly taskId: string;
    readonly state: string;
    readonly message: string;
    readonly host: string;
    readonly timestamp: string;
  };
}

export interface GroupInfo {
  readonly id: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly apps: readonly AppInfo[];
  readonly groups: readonly GroupInfo[];
}

export interface TaskInfo {
  readonly id: string;
  readonly appId: string;
  readonly host: string;
  readonly state: string;
  readonly version: string;
  /** Host ports, in the order of the app's ports. */
  readonly ports: readonly number[];
  readonly stagedAt: string;
  readonly startedAt?: string;
  /** One for each health check that has a result. */
  readonly healthCheckResults?: readonly { readonly alive: boolean; readonly lastFailureCause?: string }[];
  readonly patchpanel: {
    readonly slot: number | null;
    readonly epoch: number;
    readonly endpoint: string;
    readonly network?: string;
    readonly ip?: string;
    readonly mac?: string;
    readonly hostname?: string;
    readonly message?: string;
  };
}

export interface DeploymentInfo {
  readonly id: string;
  readonly version: string;
  readonly affectedApps: readonly string[];
  readonly steps: readonly {
    readonly actions: readonly { readonly action: string; readonly app: string }[];
  }[];
  readonly currentStep: number;
  readonly totalSteps: number;
}

/** A deployment that runs or has ended. */
export interface DeploymentFate extends DeploymentInfo {
  readonly state: 'running' | 'succeeded' | 'failed' | 'cancelled' | 'replaced' | 'taken-back';
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly reason?: string;
  readonly successor?: string;
}

export interface NetworkInfo {
  readonly name: string;
  readonly vni: number;
  readonly cidr: string;
  readonly range?: string;
  readonly mtu?: number;
  readonly domain: string;
  readonly quarantineSeconds: number;
  readonly gateway: string;
  /** Where containers ask for names. */
  readonly service: string;
  readonly leases: number;
}

/** A machine of the operator's on the switch. */
export interface ReservationInfo {
  readonly network: string;
  readonly name: string;
  readonly hostname: string;
  readonly ip: string;
  readonly mac: string;
  readonly host: string;
  readonly device: string;
  /** False while its host is not there. */
  readonly inViews: boolean;
}

export interface HostInfo {
  readonly agentId: string;
  readonly hostname: string;
  readonly underlayIp: string;
  readonly datapath: string;
  readonly reachable: boolean;
  readonly tasks: number;
  /** Absent before the host has tried whether it carries traffic. */
  readonly selfTest?: { readonly passed: boolean; readonly problem?: string; readonly peer?: string };
  readonly view: {
    readonly connected: boolean;
    readonly applied: string | null;
    readonly lag: number;
    readonly problem: string | null;
  };
}

/** A host on which nothing is launched before `until`. Times are ISO 8601. */
export interface UnfitHostInfo {
  readonly agentId: string;
  readonly hostname: string;
  readonly problem: string;
  readonly since: string;
  readonly until: string;
}

interface PathEndInfo {
  readonly ip: string;
  readonly slot?: string;
  readonly epoch?: number;
  readonly host?: string;
}

export interface PathInfo {
  readonly from: PathEndInfo;
  readonly to: PathEndInfo;
  readonly protocol: string;
  readonly destinationPort?: number;
  readonly verdict: string;
  readonly reason?: string;
  readonly summary: string;
  readonly hops: readonly {
    readonly host: string;
    readonly protocol: string;
    readonly entrance: string;
    readonly steps: readonly {
      readonly table: string;
      readonly says: string;
      readonly rule?: { readonly priority: number; readonly match: string };
    }[];
    readonly remarks: readonly string[];
  }[];
}

export interface DropInfo {
  readonly reason: string;
  readonly agentId: string;
  readonly host: string;
  readonly slot?: string;
  readonly epoch?: number;
  readonly network?: string;
  readonly ip?: string;
  readonly packets: number;
  readonly bytes: number;
  readonly lastAt: string;
}

export interface TrafficInfo {
  readonly from: string;
  readonly to: string;
  readonly packets: number;
  readonly bytes: number;
  readonly lastAt: string;
}
