import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isDropReason } from '../../../src/fabric/cookie.ts';
import { isoTime } from '../../../src/model/ids.ts';
import type { World } from '../../core/world.ts';
import { dropPlace } from '../../driver/counters/drop-place.ts';
import type { DropRow, TrafficRow } from '../../driver/counters/fabric-counters.ts';
import type { ApiDeps } from '../deps.ts';
import { checked } from '../request.ts';

const limit = z.coerce.number().int().min(1).max(20_000).default(1_000);
/** What GET /v1/drops is asked. */
export const dropQuery = z.object({
  reason: z.string().refine(isDropReason, 'it must be a reason for drops').optional(),
  /** Host name or agent id. */
  host: z.string().optional(),
  slot: z.string().optional(),
  limit,
});
/** What GET /v1/traffic is asked. */
export const trafficQuery = z.object({ app: z.string().optional(), limit });

/** `/v1/drops` and `/v1/traffic`: what switches dropped, and delivered from app to app; the greatest first. */
export function counterRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v1/drops', (request, reply) => {
    const { reason, host, slot, limit: most } = checked(dropQuery, request.query, request, reply);
    const world = deps.world();
    const drops = [...deps.counters.drops()]
      .map((row) => presentDrop(world, row))
      .filter(
        (row) =>
          (reason === undefined || row.reason === reason) &&
          (host === undefined || row.host === host || row.agentId === host) &&
          (slot === undefined || row.slot === slot),
      )
      .sort((a, b) => b.packets - a.packets);
    return { drops: drops.slice(0, most) };
  });

  server.get('/v1/traffic', (request, reply) => {
    const { app, limit: most } = checked(trafficQuery, request.query, request, reply);
    const pairs = [...deps.counters.traffic()]
      .filter(({ from, to }) => app === undefined || from === app || to === app)
      .sort((a, b) => b.bytes - a.bytes);
    return { pairs: pairs.slice(0, most).map(presentPair) };
  });
}

const presentPair = ({ lastAt, ...row }: TrafficRow) => ({ ...row, lastAt: isoTime(lastAt) });

function presentDrop(world: World, { host, reason, subject, packets, bytes, lastAt }: DropRow) {
  return {
    reason,
    agentId: host,
    ...dropPlace(world, host, subject),
    packets,
    bytes,
    lastAt: isoTime(lastAt),
  };
}
