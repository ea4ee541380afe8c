/** Names and addresses of a cluster, derived from its name and its subnet number alone. Pure. */
export interface ClusterPlan {
  readonly name: string;
  /** K of 198.18.K.0/24 (management) and 198.19.K.0/24 (underlay). */
  readonly subnet: number;
  readonly managementBridge: string;
  readonly managementPrefix: string;
  /** The root namespace's management address: scheduler and master as hosts see them. */
  readonly managementGateway: string;
  readonly underlayPrefix: string;
  /** Namespace of the underlay's hub. */
  readonly hubNetns: string;
  readonly hosts: readonly HostPlan[];
}

export interface HostPlan {
  /** `h1`, … */
  readonly name: string;
  /** Counted from 1. */
  readonly number: number;
  readonly hostname: string;
  readonly netns: string;
  readonly managementIp: string;
  readonly underlayIp: string;
  /** MAC of the uplink and of the bridge port that holds the underlay address: native tunnels need them equal. */
  readonly underlayMac: string;
  /** Root side of the management link. */
  readonly managementLink: string;
  /** Hub side of the uplink. */
  readonly hubPort: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Prefix length of both networks. */
export const prefixLength = 24;

const firstHostAddress = 10;

export function clusterPlan(name: string, hosts: number, subnet: number): ClusterPlan {
  return {
    name,
    subnet,
    managementBridge: `${name}-mgmt`,
    managementPrefix: `198.18.${subnet}.0/${prefixLength}`,
    managementGateway: `198.18.${subnet}.1`,
    underlayPrefix: `198.19.${subnet}.0/${prefixLength}`,
    hubNetns: `${name}-net`,
    hosts: Array.from({ length: hosts }, (_, index) => hostPlan(name, subnet, index + 1)),
  };
}

function hostPlan(cluster: string, subnet: number, number: number): HostPlan {
  return {
    name: `h${number}`,
    number,
    hostname: `${cluster}-h${number}`,
    netns: `${cluster}-h${number}`,
    managementIp: `198.18.${subnet}.${firstHostAddress + number}`,
    underlayIp: `198.19.${subnet}.${firstHostAddress + number}`,
    underlayMac: `02:70:70:${hexByte(subnet)}:00:${hexByte(number)}`,
    managementLink: `${cluster}-m${number}`,
    hubPort: `u${number}`,
    // Two racks and one zone for each pair of hosts: enough to try constraints on three hosts.
    attributes: { rack: `r${((number - 1) % 2) + 1}`, zone: `z${Math.ceil(number / 2)}` },
  };
}

const hexByte = (value: number): string => value.toString(16).padStart(2, '0');

/**
 * Subnet numbers in the order in which a cluster tries them: a start that depends on the name, so that clusters that
 * start at once rarely want the same one, then round.
 */
export function subnetCandidates(name: string, usedPrefixes: readonly string[]): readonly number[] {
  const start = Buffer.from(name).reduce((hash, byte) => (hash * 31 + byte) % 256, 7);
  return Array.from({ length: 256 }, (_, step) => (start + step) % 256).filter(
    (subnet) => !usedPrefixes.some((prefix) => mentions(prefix, subnet)),
  );
}

/** Whether a route or address (`198.18.3.0/24`, `198.18.3.7`) lies in one of the subnet's two networks. */
function mentions(prefix: string, subnet: number): boolean {
  return prefix.startsWith(`198.18.${subnet}.`) || prefix.startsWith(`198.19.${subnet}.`);
}
