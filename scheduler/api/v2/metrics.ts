import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { MetricValues } from '../../driver/metrics.ts';
import { countTasks } from '../../core/slots/task-counts.ts';
import type { World } from '../../core/world.ts';
import type { ApiDeps } from '../deps.ts';
import { checked, jsonBody } from '../request.ts';

/** What POST /logging takes. */
export const loggingSchema = z.object({
  level: z.preprocess(
    (level) => (typeof level === 'string' ? level.toLowerCase() : level),
    z.enum(['debug', 'info', 'warn', 'error', 'silent']),
  ),
  /** There is one logger: any name is it. */
  logger: z.string().optional(),
  durationSeconds: z.number().min(1).max(86_400).optional(),
});

/** The version is a part of what Prometheus says that it prefers. */
const prometheusType = 'text/plain; version=0.0.4';

/** `/metrics` (Marathon's JSON, text for who prefers text as Prometheus does), `/metrics/prometheus`, `/logging`. */
export function metricRoutes(server: FastifyInstance, deps: ApiDeps): void {
  const startedAt = deps.now();
  let cancelReset: () => void = () => undefined;

  server.get('/metrics', async (request, reply) => {
    const type = request.accepts().type(['application/json', prometheusType, 'text/plain']);
    if (type === prometheusType || type === 'text/plain') {
      return reply.type(`${prometheusType}; charset=utf-8`).send(await deps.metrics());
    }
    return presentMetrics(await deps.metricValues(), deps.world(), startedAt, deps.now());
  });

  server.get('/metrics/prometheus', async (_request, reply) =>
    reply.type(`${prometheusType}; charset=utf-8`).send(await deps.metrics()),
  );

  server.get('/logging', () => ({ ROOT: deps.logLevel.level.toUpperCase() }));

  server.post('/logging', { config: { access: 'admin' } }, (request, reply) => {
    const { level, durationSeconds } = checked(loggingSchema, jsonBody(request), request, reply);
    const before = deps.logLevel.level;
    cancelReset();
    deps.logLevel.setLevel(level);
    if (durationSeconds !== undefined) {
      cancelReset = deps.after(durationSeconds * 1000, () => deps.logLevel.setLevel(before));
    }
    return { ROOT: deps.logLevel.level.toUpperCase() };
  });
}

/** The form of Dropwizard that Marathon has, with the few of its own names that dashboards draw. */
function presentMetrics(
  { counters, gauges, histograms }: MetricValues,
  world: World,
  startedAt: number,
  now: number,
): Record<string, unknown> {
  const tasks = countTasks(world.instances.values());
  const marathon = {
    'marathon.apps.active.gauge': world.apps.size,
    'marathon.deployments.active.gauge': world.deployments.size,
    'marathon.instances.running.gauge': tasks.running,
    'marathon.instances.staged.gauge': tasks.staged,
    'marathon.uptime.gauge.seconds': (now - startedAt) / 1000,
  };
  return {
    version: '4.0.0',
    start: new Date(startedAt).toISOString(),
    end: new Date(now).toISOString(),
    gauges: each({ ...marathon, ...gauges }, (value) => ({ value })),
    counters: each(counters, (count) => ({ count })),
    histograms: each(histograms, ({ count, sum }) => ({ count, mean: count === 0 ? 0 : sum / count })),
    meters: {},
    timers: {},
  };
}

const each = <From, To>(
  values: Readonly<Record<string, From>>,
  present: (value: From) => To,
): Record<string, To> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, present(value)]));
