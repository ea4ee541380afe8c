import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parseCidr } from '../../../src/fabric/cidr.ts';
import { formatIpv4 } from '../../../src/fabric/ipv4.ts';
import { largestVni } from '../../../src/fabric/self-test.ts';
import { networkName } from '../../../src/model/ids.ts';
import type { Network } from '../../../src/model/network.ts';
import type { World } from '../../core/world.ts';
import { accept } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { notFound, notValid, type HttpProblem } from '../problems.ts';
import { checked, jsonBody } from '../request.ts';

/** What PUT /v1/networks/NAME takes. */
export const networkSchema = z.object({
  name: z.string().optional(),
  vni: z.int().min(1).max(largestVni),
  cidr: z.string(),
  range: z.string().optional(),
  mtu: z.int().min(576).max(65_535).optional(),
  domain: z.string().min(1).optional(),
  nat: z.boolean().optional(),
  routes: z.array(z.string()).max(64).optional(),
  quarantineSeconds: z.int().min(0).max(86_400).optional(),
});

const adminOnly = { config: { access: 'admin' } } as const;

interface Named {
  Params: { name: string };
}

/** `/v1/networks`: the layer-2 networks of the fabric. */
export function networkRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v1/networks', () => {
    const world = deps.world();
    const leases = leasesByNetwork(world);
    return {
      networks: [...world.networks.values()].map((network) =>
        present(network, leases.get(network.name) ?? 0),
      ),
    };
  });

  server.get<Named>('/v1/networks/:name', (request) => {
    const world = deps.world();
    const network = world.networks.get(networkName(request.params.name));
    if (network === undefined) throw unknownNetwork(request.params.name);
    return present(network, leasesByNetwork(world).get(network.name) ?? 0);
  });

  server.put<Named>('/v1/networks/:name', adminOnly, async (request, reply) => {
    const { name } = request.params;
    const json = checked(networkSchema, jsonBody(request), request, reply);
    if (!/^[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?$/.test(name)) {
      throw notValid([
        { path: '/name', errors: ['must be lower-case letters, digits, - and _, 63 at most'] },
      ]);
    }
    if (json.name !== undefined && json.name !== name) {
      throw notValid([{ path: '/name', errors: [`must be '${name}', the name in the URL, or left out`] }]);
    }
    const existed = deps.world().networks.has(networkName(name));
    const network: Network = {
      name: networkName(name),
      vni: json.vni,
      cidr: json.cidr,
      ...(json.range === undefined ? {} : { range: json.range }),
      ...(json.mtu === undefined ? {} : { mtu: json.mtu }),
      ...(json.nat === undefined ? {} : { nat: json.nat }),
      ...(json.routes === undefined ? {} : { routes: [...new Set(json.routes)].map(networkName) }),
      domain: json.domain ?? 'patchpanel.internal',
      quarantineSeconds: json.quarantineSeconds ?? 300,
    };
    await accept(deps, { kind: 'put-network', network }, reply);
    return reply
      .code(existed ? 200 : 201)
      .send(present(network, leasesByNetwork(deps.world()).get(network.name) ?? 0));
  });

  server.delete<Named>('/v1/networks/:name', adminOnly, async (request, reply) => {
    const { name } = request.params;
    if (!deps.world().networks.has(networkName(name))) throw unknownNetwork(request.params.name);
    await accept(deps, { kind: 'delete-network', name: networkName(name) }, reply);
    return reply.code(204).send();
  });
}

function unknownNetwork(name: string): HttpProblem {
  return notFound(`Network '${name}' does not exist`);
}

function present(network: Network, leases: number): Record<string, unknown> {
  const { gateway, service } = parseCidr(network.cidr);
  return { ...network, gateway: formatIpv4(gateway), service: formatIpv4(service), leases };
}

function leasesByNetwork(world: World): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { lease } of world.slots.values()) {
    if (lease !== undefined) counts.set(lease.network, (counts.get(lease.network) ?? 0) + 1);
  }
  return counts;
}
