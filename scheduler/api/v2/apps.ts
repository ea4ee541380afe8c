import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { sendJson } from '../answers.ts';
import { entityTag } from '../http/entity-tags.ts';
import { listingOf } from '../http/listing.ts';
import { methodNotAllowed } from '../http/methods.ts';
import { requireApp, requireAppId } from './app-changes.ts';
import { appsBelow, listApps, listAppsBelow } from './app-list.ts';
import { parseAppPath } from './app-path.ts';
import { listedAppText } from './app-text.ts';
import { killTask, killTasksOf, listTasksOf } from './app-tasks.ts';
import { definitionAt, versionsOf } from './app-versions.ts';
import { createApp, deleteApp, restartApp, updateApp, updateApps } from './app-writes.ts';
import { parseEmbed, presentApp } from './present-app.ts';

/** `/v2/apps` and everything below it (Marathon v2). */
export function appRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v2/apps', (request, reply) => listApps(deps, request, reply));
  server.post('/v2/apps', (request, reply) => createApp(deps, request, reply));
  server.put('/v2/apps', (request, reply) => updateApps(deps, request, reply, true));
  server.patch('/v2/apps', (request, reply) => updateApps(deps, request, reply, false));
  server.get('/v2/apps/*', (request, reply) => read(deps, request, reply));
  server.put('/v2/apps/*', (request, reply) => update(deps, request, reply, true));
  server.patch('/v2/apps/*', (request, reply) => update(deps, request, reply, false));
  server.post('/v2/apps/*', (request, reply) => restart(deps, request, reply));
  server.delete('/v2/apps/*', (request, reply) => remove(deps, request, reply));
}

function restOf(request: FastifyRequest): string {
  return (request.params as { readonly '*': string })['*'];
}

async function update(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  mayCreate: boolean,
): Promise<FastifyReply> {
  const path = parseAppPath(restOf(request));
  if (path.kind !== 'app') throw methodNotAllowed();
  const id = mayCreate ? requireAppId(path.id) : requireApp(deps, path.id).id;
  return updateApp(deps, id, request, reply);
}

async function restart(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = parseAppPath(restOf(request));
  if (path.kind !== 'restart') throw methodNotAllowed();
  return restartApp(deps, path.id, request, reply);
}

function read(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = parseAppPath(restOf(request));
  switch (path.kind) {
    case 'app':
      return readApp(deps, path.id, request, reply);
    case 'group-apps':
      return listAppsBelow(deps, path.group, request, reply);
    case 'group-tasks': {
      const ids = appsBelow(deps, path.group).map(({ id }) => id);
      return listTasksOf(deps, ids, request, reply);
    }
    case 'tasks':
      return listTasksOf(deps, [requireApp(deps, path.id).id], request, reply);
    case 'versions':
      return reply.send({ versions: versionsOf(deps, requireApp(deps, path.id)) });
    case 'version': {
      const app = definitionAt(deps, requireApp(deps, path.id), path.version);
      return reply.header('ETag', entityTag(app.version)).send(presentApp(app));
    }
    case 'restart':
    case 'task':
      throw methodNotAllowed();
  }
}

function readApp(deps: ApiDeps, id: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const app = requireApp(deps, id);
  const embed = parseEmbed(request, 'one');
  const listing = listingOf(request);
  const text = listedAppText(deps.world(), app, embed, listing, deps.now());
  return sendJson(reply.header('ETag', entityTag(app.version)), 200, `{"app":${text}}`);
}

async function remove(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = parseAppPath(restOf(request));
  switch (path.kind) {
    case 'app':
    case 'restart':
    case 'version':
    case 'versions':
      return deleteApp(deps, `/${restOf(request)}`, request, reply);
    case 'tasks':
      return killTasksOf(deps, requireApp(deps, path.id).id, request, reply);
    case 'task':
      return killTask(deps, requireApp(deps, path.id).id, path.taskId, request, reply);
    case 'group-apps':
    case 'group-tasks':
      throw methodNotAllowed();
  }
}
