import { run } from '../runtime/process.ts';
import { ipBatch, addUnreachable, usedPrefixes, type UnreachableRoute } from './links.ts';
import type { Ledger } from './ledger.ts';
import { clusterPlan, prefixLength, subnetCandidates, type ClusterPlan, type HostPlan } from './plan.ts';
import { PatchpanelError } from '../runtime/errors.ts';

/** Metric of the route that claims a subnet number: the same for all clusters, so that only one can have it. */
const claimMetric = 4242;

/** Metrics from here on, one for each subnet number: several clusters may use the same container subnet. */
const sharedMetric = 20_000;

/** Route protocol number of the dev clusters, for people who look at `ip route`. */
const routeProtocol = 142;

/**
 * Takes a subnet number that no route of the machine uses. The claim is the `unreachable` route for the underlay,
 * which the kernel gives to one cluster only and which keeps the root namespace from sending there.
 * @throws PatchpanelError `unavailable` when all numbers are taken
 */
export async function claimSubnet(ledger: Ledger, hosts: number): Promise<ClusterPlan> {
  const { name } = ledger.content;
  for (const subnet of subnetCandidates(name, await usedPrefixes())) {
    const plan = clusterPlan(name, hosts, subnet);
    const route = { prefix: plan.underlayPrefix, protocol: routeProtocol, metric: claimMetric };
    const item = { kind: 'route', ...route } as const;
    await ledger.add(item);
    if (await addUnreachable(route)) return plan;
    await ledger.remove(item);
  }
  throw new PatchpanelError('unavailable', 'no free subnet in 198.18.0.0/15: stop another dev cluster');
}

/** Keeps packets for containers from leaving the machine by its default route; each prefix may exist already. */
export async function shieldSubnets(
  ledger: Ledger,
  plan: ClusterPlan,
  prefixes: readonly string[],
): Promise<void> {
  for (const prefix of prefixes) {
    const route: UnreachableRoute = { prefix, protocol: routeProtocol, metric: sharedMetric + plan.subnet };
    await ledger.add({ kind: 'route', ...route });
    await addUnreachable(route);
  }
}

/** The management bridge of the root namespace and the hub that links the hosts' uplinks. */
export async function makeNetworks(ledger: Ledger, plan: ClusterPlan): Promise<void> {
  await ledger.add({ kind: 'link', name: plan.managementBridge });
  await ipBatch([
    `link add ${plan.managementBridge} type bridge stp_state 0 forward_delay 0`,
    `address add ${plan.managementGateway}/${prefixLength} dev ${plan.managementBridge}`,
    `link set ${plan.managementBridge} up`,
  ]);
  await ledger.add({ kind: 'netns', name: plan.hubNetns });
  await run('ip', ['netns', 'add', plan.hubNetns]);
  await ipBatch(['link add hub0 type bridge stp_state 0 forward_delay 0', 'link set hub0 up'], plan.hubNetns);
}

/** The host's namespace with its two cables: `mgmt0` to the root namespace, `uplink0` to the hub. */
export async function makeHostNetns(ledger: Ledger, plan: ClusterPlan, host: HostPlan): Promise<void> {
  await ledger.add({ kind: 'netns', name: host.netns });
  await run('ip', ['netns', 'add', host.netns]);
  await ledger.add({ kind: 'link', name: host.managementLink });
  await ipBatch([
    `link add ${host.managementLink} type veth peer name mgmt0 netns ${host.netns}`,
    `link set ${host.managementLink} master ${plan.managementBridge} up`,
  ]);
  await ipBatch(
    [
      `link add ${host.hubPort} type veth peer name uplink0 address ${host.underlayMac} netns ${host.netns}`,
      `link set ${host.hubPort} master hub0 up`,
    ],
    plan.hubNetns,
  );
  await ipBatch(
    [
      'link set lo up',
      `address add ${host.managementIp}/${prefixLength} dev mgmt0`,
      'link set mgmt0 up',
      'link set uplink0 up',
    ],
    host.netns,
  );
  await hideUplinkFromKernel(host);
}

/**
 * The userspace datapath only copies what arrives at the uplink: the kernel would answer it too (double replies, and
 * "port unreachable" to every tunnelled packet). The datapath taps before this hook.
 */
async function hideUplinkFromKernel(host: HostPlan): Promise<void> {
  const rules = [
    'table netdev patchpanel {',
    ' chain uplink { type filter hook ingress device uplink0 priority 0; policy drop; }',
    '}',
  ];
  await run('nft', ['-f', '-'], { netns: host.netns, input: `${rules.join('\n')}\n` });
}

/** Pulls or plugs the host's management cable at the far end: packets vanish, nobody is told. */
export function setManagement(host: HostPlan, state: 'up' | 'down'): Promise<void> {
  return ipBatch([`link set ${host.managementLink} ${state}`]);
}

/** Pulls or plugs the host's underlay cable at the hub. */
export function setUnderlay(plan: ClusterPlan, host: HostPlan, state: 'up' | 'down'): Promise<void> {
  return ipBatch([`link set ${host.hubPort} ${state}`], plan.hubNetns);
}
