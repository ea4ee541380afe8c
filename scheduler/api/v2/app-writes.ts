import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AppId } from '../../../src/model/ids.ts';
import { presentVersion } from '../../core/changes/changes.ts';
import { wantedApp } from '../../core/changes/tree.ts';
import type { Change } from '../../core/events.ts';
import { accept, accepted, deploymentBody, sendJson, submit, type Accepted } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { checkNoneExist, checkPreconditions, entityTag, pinnedTo } from '../http/entity-tags.ts';
import { badRequest, Details, HttpProblem, notValid } from '../problems.ts';
import { checked, flag, isMergePatch, jsonBody } from '../request.ts';
import {
  requireApp,
  requireAppId,
  unsetFields,
  updatedDefinition,
  whole,
  withNormalised,
  type PlacedApp,
  type Update,
} from './app-changes.ts';
import { appJsonSchema, appUpdateSchema, type AppUpdateJson } from './app-json.ts';
import { createdAppText } from './app-text.ts';

/** What POST /v2/apps takes. */
export const createSchema = appJsonSchema;
/** What PUT and PATCH /v2/apps take. */
export const bulkSchema = z.array(appUpdateSchema);

/** How often an update that others overtake is made anew. */
const maxAttempts = 10;

/** POST /v2/apps. */
export async function createApp(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const json = checked(createSchema, jsonBody(request), request, reply);
  return withNormalised(deps, [whole(json)], async (apps, paths) => {
    const [app] = apps;
    if (app === undefined) throw badRequest('Please specify one app');
    const change: Change = { kind: 'put-apps', apps, force: flag(request, 'force'), create: true };
    const { deploymentId } = await accept(deps, change, reply, { paths });
    const created = requireApp(deps, app.id);
    const text = createdAppText(created, deploymentId);
    reply.headers({ Location: `/v2/apps${app.id}`, ETag: entityTag(created.version) });
    return sendJson(reply, 201, text);
  });
}

/** PUT /v2/apps (which may create) and PATCH /v2/apps (which may not): all of them or none. */
export async function updateApps(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  mayCreate: boolean,
): Promise<FastifyReply> {
  if (request.headers['if-match'] !== undefined) throw badRequest('If-Match needs the URL of one app');
  const updates = placed(checked(bulkSchema, jsonBody(request), request, reply));
  if (!mayCreate) for (const { id } of updates) requireApp(deps, id);
  const existing = () => updates.flatMap(({ id }) => (wantedApp(deps.world(), id) === undefined ? [] : [id]));
  const result = await putUpdates(deps, updates, request, reply, () => checkNoneExist(request, existing()));
  return reply.send(deploymentBody(result));
}

/** Updates that say which app they are of: each another one. @throws HttpProblem 422 */
function placed(bodies: readonly AppUpdateJson[]): Update[] {
  const details = new Details();
  const seen = new Set<AppId>();
  const updates = bodies.map((body, index) => {
    const path = `(${index})`;
    if (body.id === undefined) {
      throw new HttpProblem(422, 'requirement failed: App Update must have app id set', {
        details: [{ path: `${path}/id`, errors: ['error.path.missing'] }],
      });
    }
    const id = requireAppId(body.id, path);
    details.require(!seen.has(id), `${path}/id`, `'${id}' is given twice`);
    seen.add(id);
    return { path, id, body };
  });
  if (!details.empty) throw notValid(details.list());
  return updates;
}

/** PUT /v2/apps/APP, which may create it, and PATCH of one that is there. */
export async function updateApp(
  deps: ApiDeps,
  id: AppId,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const present = () => wantedApp(deps.world(), id);
  const existed = present() !== undefined;
  const json = jsonBody(request);
  const body = checked(appUpdateSchema, json, request, reply);
  const unset = isMergePatch(request) ? unsetFields(json) : [];
  const result = await putUpdates(deps, [{ path: '', id, body, unset }], request, reply, () =>
    checkPreconditions(request, present()?.version),
  );
  const version = present()?.version;
  if (version !== undefined) reply.header('ETag', entityTag(version));
  if (!existed) reply.header('Location', `/v2/apps${id}`);
  return reply.code(existed ? 200 : 201).send(deploymentBody(result));
}

/**
 * Merges updates into the present definitions and puts the result in place of exactly these: when somebody was
 * faster, it is merged anew.
 */
async function putUpdates(
  deps: ApiDeps,
  updates: readonly Update[],
  request: FastifyRequest,
  reply: FastifyReply,
  check: () => void = () => undefined,
): Promise<Accepted> {
  const partial = request.method === 'PATCH' || flag(request, 'partialUpdate', true);
  for (let attempt = 1; ; attempt += 1) {
    check();
    const basedOn = new Map(updates.map(({ id }) => [id, presentVersion(deps.world(), id)]));
    const definitions = updates.map((update): PlacedApp => {
      const json = updatedDefinition(deps, update, partial);
      return { path: update.path, json: checked(appJsonSchema, json, request, reply, update.path) };
    });
    const force = flag(request, 'force');
    const done = await withNormalised(deps, definitions, async (apps, paths) => {
      const result = await submit(deps, { kind: 'put-apps', apps, force }, reply, basedOn);
      return result.kind === 'stale' ? undefined : accepted(result, reply, paths);
    });
    if (done !== undefined) return done;
    if (attempt === maxAttempts) {
      throw new HttpProblem(409, 'Others change the same apps all the time: try again.');
    }
  }
}

/** POST /v2/apps/APP/restart. */
export async function restartApp(
  deps: ApiDeps,
  name: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id, version } = requireApp(deps, name);
  checkPreconditions(request, version);
  const change: Change = { kind: 'restart-app', appId: id, force: flag(request, 'force') };
  const basedOn = pinnedTo(request, id, version);
  return reply.send(deploymentBody(await accept(deps, change, reply, { basedOn })));
}

/** DELETE /v2/apps/APP; `force` unless told otherwise, as in Marathon. */
export async function deleteApp(
  deps: ApiDeps,
  name: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id, version } = requireApp(deps, name);
  checkPreconditions(request, version);
  const change: Change = { kind: 'delete-app', appId: id, force: flag(request, 'force', true) };
  const basedOn = pinnedTo(request, id, version);
  return reply.send(deploymentBody(await accept(deps, change, reply, { basedOn })));
}
