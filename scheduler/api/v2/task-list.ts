import type { FastifyReply, FastifyRequest } from 'fastify';
import { servicePortsOf, type App } from '../../../src/model/app.ts';
import type { AppId } from '../../../src/model/ids.ts';
import { safeAppId } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { ApiDeps } from '../deps.ts';
import { wantsExtensions } from '../http/extended.ts';
import { listingOf, pageOf, picked } from '../http/listing.ts';
import { queryValues } from '../request.ts';
import { presentTaskWithPorts } from './present-task.ts';

/** Sends tasks as JSON, or as lines of text to who asks for nothing but that. */
export function sendTasks(
  deps: ApiDeps,
  instances: readonly Instance[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const world = deps.world();
  if (request.accepts().type(['application/json', 'text/plain']) === 'text/plain') {
    const containerNetworks = new Set(
      queryValues(request, 'containerNetworks').flatMap((names) => names.split(',')),
    );
    const lines = tasksText(world.apps, instances, containerNetworks);
    return reply.type('text/plain; charset=utf-8').send(lines);
  }
  const extended = wantsExtensions(request);
  const listing = listingOf(request);
  const tasks = pageOf(instances, listing, reply).map((instance) =>
    picked(presentTaskWithPorts(world, instance, extended), listing),
  );
  return reply.send({ tasks });
}

/**
 * Marathon's text for load balancers, running tasks only: a line for each service port of each app (`name`, `port`,
 * then the endpoints, divided by tabs); for an app without ports its hosts. Tasks on one of `containerNetworks` (`*`:
 * any) are reached at their own address.
 */
export function tasksText(
  apps: ReadonlyMap<AppId, App>,
  instances: readonly Instance[],
  containerNetworks: ReadonlySet<string>,
): string {
  const byApp = new Map<App, Instance[]>();
  for (const instance of instances) {
    const app = apps.get(instance.appId);
    if (app === undefined || instance.condition !== 'running') continue;
    const known = byApp.get(app);
    if (known === undefined) byApp.set(app, [instance]);
    else known.push(instance);
  }
  return [...byApp].flatMap(([app, running]) => appLines(app, running, containerNetworks)).join('');
}

function appLines(app: App, running: readonly Instance[], containerNetworks: ReadonlySet<string>): string[] {
  const name = safeAppId(app.id);
  const ports = servicePortsOf(app);
  if (ports.length === 0) return [`${name}\t \t${running.map(({ hostname }) => `${hostname}\t`).join('')}\n`];
  return ports.map((port, index) => {
    const endpoints = running.flatMap(
      (instance) => endpointOf(app, instance, index, containerNetworks) ?? [],
    );
    return `${name}\t${port}\t${endpoints.map((endpoint) => `${endpoint}\t`).join('')}\n`;
  });
}

function endpointOf(
  app: App,
  { hostname, hostPorts, lease }: Instance,
  index: number,
  containerNetworks: ReadonlySet<string>,
): string | undefined {
  const { network } = app;
  if (network.mode === 'container' && lease !== undefined) {
    const asked = containerNetworks.has('*') || containerNetworks.has(network.name);
    return asked ? `${lease.ip}:${app.container.portMappings[index]?.containerPort ?? 0}` : undefined;
  }
  const hostPort = hostPorts[index];
  return hostPort === undefined ? undefined : `${hostname}:${hostPort}`;
}
