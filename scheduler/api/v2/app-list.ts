import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../../../src/model/app.ts';
import { groupId } from '../../../src/model/ids.ts';
import { isLeaving, Tree } from '../../core/changes/tree.ts';
import { sendJson } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { listingOf, pageOf } from '../http/listing.ts';
import { notFound } from '../problems.ts';
import { queryValues } from '../request.ts';
import { listedAppText } from './app-text.ts';
import { parseLabelSelector } from './label-selector.ts';
import { parseEmbed } from './present-app.ts';

/** GET /v2/apps: the apps that the filters `cmd`, `id` and `label` let through. */
export function listApps(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const wanted = appFilter(request);
  const apps: App[] = [];
  const world = deps.world();
  for (const app of world.apps.values()) if (wanted(app) && !isLeaving(world, app.id)) apps.push(app);
  return sendApps(deps, request, reply, 'apps', apps);
}

/** GET /v2/apps/GROUP/*: the apps below a group, at any depth. @throws HttpProblem 404 */
export function listAppsBelow(
  deps: ApiDeps,
  group: string,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return sendApps(deps, request, reply, '*', appsBelow(deps, group));
}

/** The apps below a group, at any depth. @throws HttpProblem 404 when there is no such group */
export function appsBelow(deps: ApiDeps, group: string): App[] {
  const tree = new Tree(deps.world());
  if (tree.group(groupId(group)) === undefined) throw notFound(`Group '${group}' does not exist`);
  return [...tree.appsBelow(groupId(group))];
}

function sendApps(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  wrapper: string,
  apps: readonly App[],
): FastifyReply {
  const world = deps.world();
  const now = deps.now();
  const embed = parseEmbed(request, 'list');
  const listing = listingOf(request);
  const texts = pageOf(apps, listing, reply).map((app) => listedAppText(world, app, embed, listing, now));
  return sendJson(reply, 200, `{"${wrapper}":[${texts.join(',')}]}`);
}

function appFilter(request: FastifyRequest): (app: App) => boolean {
  const [id, cmd, label] = ['id', 'cmd', 'label'].map((name) => queryValues(request, name).at(-1));
  const matches = label === undefined ? () => true : parseLabelSelector(label);
  return (app) =>
    (id === undefined || app.id.includes(id.toLowerCase())) &&
    (cmd === undefined || (app.cmd ?? '').toLowerCase().includes(cmd.toLowerCase())) &&
    matches(app.labels);
}
