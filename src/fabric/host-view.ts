import type { AgentId } from '../model/ids.ts';
import { routedWith } from './routes.ts';
import type { View } from './view.ts';

/**
 * What one host must know of the fabric: the networks in which it has an endpoint and those routed with them, with all their endpoints and the
 * hosts of these. Endpoints whose host or network the fabric does not hold are left out. Looks at the whole fabric, so it
 * is for one host at a time: many are kept up to date by deltas.
 */
export function hostView(fabric: View, agentId: AgentId): View {
  const knownHosts = new Set(fabric.hosts.map((host) => host.id));
  const knownNetworks = new Set(fabric.networks.map((network) => network.name));
  const inForce = fabric.endpoints.filter(
    (endpoint) => knownHosts.has(endpoint.host) && knownNetworks.has(endpoint.network),
  );
  const own = inForce.filter((endpoint) => endpoint.host === agentId).map((endpoint) => endpoint.network);
  const routed = routedWith(fabric.networks);
  const networks = new Set(own.flatMap((name) => [name, ...(routed.get(name) ?? [])]));
  const endpoints = inForce.filter((endpoint) => networks.has(endpoint.network));
  const hosts = new Set(endpoints.map((endpoint) => endpoint.host));
  return {
    version: fabric.version,
    hosts: fabric.hosts.filter((host) => hosts.has(host.id)),
    networks: fabric.networks.filter((network) => networks.has(network.name)),
    endpoints,
  };
}
