import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../../../src/model/app.ts';
import { appVersion, taskId, type AppId } from '../../../src/model/ids.ts';
import { isTerminal, type Instance } from '../../../src/model/instance.ts';
import type { Change } from '../../core/events.ts';
import type { ApiDeps } from '../deps.ts';
import { accept, deploymentBody, sendJson } from '../answers.ts';
import { badRequest, HttpProblem, notFound } from '../problems.ts';
import { checked, flag, jsonBody, queryValues } from '../request.ts';
import { requireApp, requireAppId, updatedDefinition, withNormalised } from './app-changes.ts';
import { appJsonSchema, appUpdateSchema } from './app-json.ts';
import { parseAppPath } from './app-path.ts';
import { parseLabelSelector } from './label-selector.ts';
import { appInfoText, instancesOf, parseEmbed, presentApp, type Embed } from './present-app.ts';
import { presentTask, presentTaskWithPorts } from './present-task.ts';

const listed: Embed = { tasks: false, lastTaskFailure: false, readiness: false };
const single: Embed = { tasks: true, lastTaskFailure: true, readiness: true };

/** `/v2/apps` and everything below it (Marathon v2). */
export function appRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v2/apps', (request, reply) => list(deps, request, reply));
  server.post('/v2/apps', (request, reply) => create(deps, request, reply));
  server.put('/v2/apps', (request, reply) => bulk(deps, request, reply, true));
  server.patch('/v2/apps', (request, reply) => bulk(deps, request, reply, false));
  server.get('/v2/apps/*', (request, reply) => read(deps, request, reply));
  server.put('/v2/apps/*', (request, reply) => update(deps, request, reply, true));
  server.patch('/v2/apps/*', (request, reply) => update(deps, request, reply, false));
  server.post('/v2/apps/*', (request, reply) => restart(deps, request, reply));
  server.delete('/v2/apps/*', (request, reply) => remove(deps, request, reply));
}

function restOf(request: FastifyRequest): string {
  return (request.params as { readonly '*': string })['*'];
}

function list(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const world = deps.world();
  const embed = parseEmbed(queryValues(request, 'embed'), listed);
  const texts: string[] = [];
  const wanted = appFilter(request);
  for (const app of world.apps.values()) if (wanted(app)) texts.push(appInfoText(world, app, embed));
  return sendJson(reply, 200, `{"apps":[${texts.join(',')}]}`);
}

function appFilter(request: FastifyRequest): (app: App) => boolean {
  const [id, cmd, label] = ['id', 'cmd', 'label'].map((name) => queryValues(request, name).at(-1));
  const matches = label === undefined ? () => true : parseLabelSelector(label);
  return (app) =>
    (id === undefined || app.id.includes(id.toLowerCase())) &&
    (cmd === undefined || (app.cmd ?? '').toLowerCase().includes(cmd.toLowerCase())) &&
    matches(app.labels);
}

async function create(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const json = checked(appJsonSchema, jsonBody(request), request, reply);
  return withNormalised(deps, [json], async (apps) => {
    const [app] = apps;
    if (app === undefined) throw badRequest('Please specify one app');
    const change: Change = { kind: 'put-apps', apps, force: flag(request, 'force'), create: true };
    await accept(deps, change, reply);
    const text = appInfoText(deps.world(), requireApp(deps, app.id), listed);
    return sendJson(reply.header('Location', `/v2/apps${app.id}`), 201, text);
  });
}

async function bulk(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  mayCreate: boolean,
): Promise<FastifyReply> {
  const updates = checked(z.array(appUpdateSchema), jsonBody(request), request, reply);
  const partial = flag(request, 'partialUpdate', true);
  const definitions = updates.map((body) => {
    if (body.id === undefined)
      throw new HttpProblem(422, 'requirement failed: App Update must have app id set');
    const id = requireAppId(body.id);
    if (!mayCreate) requireApp(deps, id);
    return checked(appJsonSchema, updatedDefinition(deps, id, body, partial), request, reply);
  });
  return withNormalised(deps, definitions, async (apps) => {
    const result = await accept(deps, { kind: 'put-apps', apps, force: flag(request, 'force') }, reply);
    return reply.code(200).send(deploymentBody(result));
  });
}

async function update(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  mayCreate: boolean,
): Promise<FastifyReply> {
  const path = parseAppPath(restOf(request));
  if (path.kind !== 'app') throw new HttpProblem(405, 'Method Not Allowed');
  const id = requireAppId(path.id);
  if (!mayCreate) requireApp(deps, id);
  const body = checked(appUpdateSchema, jsonBody(request), request, reply);
  const partial = flag(request, 'partialUpdate', true);
  const json = checked(appJsonSchema, updatedDefinition(deps, id, body, partial), request, reply);
  const existed = deps.world().apps.has(id);
  return withNormalised(deps, [json], async (apps) => {
    const result = await accept(deps, { kind: 'put-apps', apps, force: flag(request, 'force') }, reply);
    if (!existed) reply.header('Location', `/v2/apps${id}`);
    return reply.code(existed ? 200 : 201).send(deploymentBody(result));
  });
}

async function restart(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = parseAppPath(restOf(request));
  if (path.kind !== 'restart') throw new HttpProblem(405, 'Method Not Allowed');
  const { id } = requireApp(deps, requireAppId(path.id));
  const result = await accept(deps, { kind: 'restart-app', appId: id, force: flag(request, 'force') }, reply);
  return reply.send(deploymentBody(result));
}

function read(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = parseAppPath(restOf(request));
  const world = deps.world();
  const embed = parseEmbed(queryValues(request, 'embed'), path.kind === 'app' ? single : listed);
  switch (path.kind) {
    case 'app': {
      const app = requireApp(deps, requireAppId(path.id));
      return sendJson(reply, 200, `{"app":${appInfoText(world, app, embed)}}`);
    }
    case 'group-apps':
      return sendJson(
        reply,
        200,
        `{"*":[${appsBelow(deps, path.group)
          .map((a) => appInfoText(world, a, embed))
          .join(',')}]}`,
      );
    case 'group-tasks':
      return reply.send({ tasks: appsBelow(deps, path.group).flatMap((app) => tasksOf(deps, app.id)) });
    case 'tasks':
      return reply.send({ tasks: tasksOf(deps, requireApp(deps, requireAppId(path.id)).id) });
    case 'versions':
      return reply.send({ versions: versionsOf(deps, requireApp(deps, requireAppId(path.id))) });
    case 'version':
      return reply.send(presentVersion(deps, requireApp(deps, requireAppId(path.id)), path.version));
    case 'restart':
    case 'task':
      throw new HttpProblem(405, 'Method Not Allowed');
  }
}

function appsBelow(deps: ApiDeps, group: string): App[] {
  const prefix = group === '/' ? '/' : `${group}/`;
  const apps = [...deps.world().apps.values()].filter((app) => app.id.startsWith(prefix));
  if (apps.length === 0 && group !== '/') throw notFound(`Group '${group}' does not exist`);
  return apps;
}

function liveInstances(deps: ApiDeps, id: AppId): Instance[] {
  return instancesOf(deps.world(), id).filter((instance) => !isTerminal(instance.condition));
}

function tasksOf(deps: ApiDeps, id: AppId): Record<string, unknown>[] {
  return liveInstances(deps, id).map((instance) => presentTaskWithPorts(deps.world(), instance));
}

/** Newest first. */
function versionsOf(deps: ApiDeps, app: App): string[] {
  const older = [...(deps.world().versions.get(app.id)?.keys() ?? [])];
  return [...new Set([app.version, ...older])].sort().toReversed();
}

function presentVersion(deps: ApiDeps, app: App, version: string): Record<string, unknown> {
  if (Number.isNaN(Date.parse(version))) {
    throw new HttpProblem(
      422,
      `Invalid timestamp provided '${version}'. Expecting ISO-8601 datetime string.`,
    );
  }
  const found = version === app.version ? app : deps.world().versions.get(app.id)?.get(appVersion(version));
  if (found === undefined) throw notFound(`App '${app.id}' does not exist in version ${version}`);
  return presentApp(found);
}

async function remove(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = parseAppPath(restOf(request));
  switch (path.kind) {
    case 'app':
    case 'restart':
    case 'version':
    case 'versions': {
      const { id } = requireApp(deps, requireAppId(restOf(request)));
      const change: Change = { kind: 'delete-app', appId: id, force: flag(request, 'force', true) };
      return reply.send(deploymentBody(await accept(deps, change, reply)));
    }
    case 'tasks': {
      const { id } = requireApp(deps, requireAppId(path.id));
      const host = queryValues(request, 'host').at(-1);
      const chosen = liveInstances(deps, id).filter((i) => host === undefined || i.hostname === host);
      return kill(deps, request, reply, chosen, 'tasks');
    }
    case 'task': {
      const { id } = requireApp(deps, requireAppId(path.id));
      const chosen = liveInstances(deps, id).filter((instance) => instance.taskId === taskId(path.taskId));
      if (chosen.length === 0) throw notFound(`Task '${path.taskId}' does not exist`);
      return kill(deps, request, reply, chosen, 'task');
    }
    case 'group-apps':
    case 'group-tasks':
      throw new HttpProblem(405, 'Method Not Allowed');
  }
}

/** Kills tasks; the answer is the tasks, or with `scale` the deployment. */
async function kill(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  instances: readonly Instance[],
  shape: 'task' | 'tasks',
): Promise<FastifyReply> {
  const scale = flag(request, 'scale');
  if (scale && flag(request, 'wipe')) throw badRequest('You cannot use scale and wipe at the same time.');
  const tasks = instances.map((instance) => presentTask(deps.world(), instance));
  const taskIds = instances.map((instance) => instance.taskId);
  const result = await accept(
    deps,
    { kind: 'kill-tasks', taskIds, scale, force: flag(request, 'force') },
    reply,
  );
  if (scale) return reply.send(deploymentBody(result));
  return reply.send(shape === 'task' ? { task: tasks[0] } : { tasks });
}
