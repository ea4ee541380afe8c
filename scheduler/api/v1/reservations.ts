import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { networkName } from '../../../src/model/ids.ts';
import { reservationSlot, type Reservation } from '../../../src/model/reservation.ts';
import { reservedEndpoint } from '../../core/fabric/reservations.ts';
import type { World } from '../../core/world.ts';
import { accept } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { notFound } from '../problems.ts';
import { checked, jsonBody } from '../request.ts';

/** What PUT /v1/networks/NAME/reservations/NAME takes. */
export const reservationSchema = z.object({
  mac: z.string().optional(),
  ip: z.string().optional(),
  host: z.string().min(1),
  device: z.string().min(1),
});

const adminOnly = { config: { access: 'admin' } } as const;

interface OfNetwork {
  Params: { name: string };
}

interface Named {
  Params: { name: string; reservation: string };
}

const pathOfAll = '/v1/networks/:name/reservations';
const pathOfOne = `${pathOfAll}/:reservation`;

/** `/v1/networks/{name}/reservations`: machines on the switch that are no containers of ours. */
export function reservationRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get<OfNetwork>(pathOfAll, ({ params }) => {
    const world = deps.world();
    const network = networkName(params.name);
    if (!world.networks.has(network)) throw notFound(`Network '${network}' does not exist`);
    const all = [...world.reservations.values()].filter((each) => each.network === network);
    return { reservations: all.map((each) => present(world, each)) };
  });

  server.get<Named>(pathOfOne, ({ params }) => presentNamed(deps.world(), params));

  server.put<Named>(pathOfOne, adminOnly, async (request, reply) => {
    const json = checked(reservationSchema, jsonBody(request), request, reply);
    const { name: network, reservation: name } = request.params;
    const { host, device, mac, ip } = json;
    const reservation = {
      network: networkName(network),
      name,
      host,
      device,
      ...(mac === undefined ? {} : { mac }),
      ...(ip === undefined ? {} : { ip }),
    };
    const existed = deps.world().reservations.has(reservationSlot(reservation));
    await accept(deps, { kind: 'put-reservation', reservation }, reply);
    return reply.code(existed ? 200 : 201).send(presentNamed(deps.world(), request.params));
  });

  server.delete<Named>(pathOfOne, adminOnly, async (request, reply) => {
    const { name: network, reservation: name } = request.params;
    await accept(deps, { kind: 'delete-reservation', network: networkName(network), name }, reply);
    return reply.code(204).send();
  });
}

function presentNamed(world: World, { name, reservation }: Named['Params']): Record<string, unknown> {
  const found = world.reservations.get(reservationSlot({ network: networkName(name), name: reservation }));
  if (found === undefined) throw notFound(`Network '${name}' has no reservation '${reservation}'`);
  return present(world, found);
}

function present(world: World, reservation: Reservation): Record<string, unknown> {
  const domain = world.networks.get(reservation.network)?.domain;
  const shown = reservedEndpoint(world, reservationSlot(reservation)) !== undefined;
  return { ...reservation, hostname: `${reservation.name}.${domain}`, inViews: shown };
}
