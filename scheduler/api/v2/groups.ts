import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { rootGroupId, type Group } from '../../../src/model/group.ts';
import type { AppVersion, GroupId } from '../../../src/model/ids.ts';
import type { Change, ChangeRequest } from '../../core/events.ts';
import { groupVersions, treeAt } from '../../core/changes/revisions.ts';
import { Tree } from '../../core/changes/tree.ts';
import { accept, deploymentBody, sendJson } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { checkPreconditions, entityTag } from '../http/entity-tags.ts';
import { methodNotAllowed } from '../http/methods.ts';
import { Details, notFound, notValid, type DefinitionPaths } from '../problems.ts';
import { checked, flag, jsonBody, queryValues } from '../request.ts';
import { withNormalised } from './app-changes.ts';
import { parseGroupId } from './app-id.ts';
import { appInfoText, appText } from './app-text.ts';
import { requireVersion } from './app-versions.ts';
import { GroupReader, groupUpdateSchema, notAlone, withApps, type GroupJson } from './group-json.ts';
import { parseEmbed, presentApp } from './present-app.ts';
import { groupText, parseGroupEmbed } from './present-group.ts';

type Handler = (deps: ApiDeps, request: FastifyRequest, reply: FastifyReply) => unknown;

/** `/v2/groups` and everything below it (Marathon v2). */
export function groupRoutes(server: FastifyInstance, deps: ApiDeps): void {
  const at = (handler: Handler) => async (request: FastifyRequest, reply: FastifyReply) =>
    handler(deps, request, reply);
  for (const url of ['/v2/groups', '/v2/groups/*']) {
    server.get(url, at(read));
    server.post(url, at(create));
    server.put(url, at(update));
    server.patch(url, at(patch));
    server.delete(url, at(remove));
  }
}

/** What follows `/v2/groups` in a URL; the name is one of a group or of nothing. */
type GroupPath =
  | { readonly kind: 'group' | 'apps' | 'versions'; readonly name: string }
  | { readonly kind: 'version'; readonly name: string; readonly version: string };

function pathOf(request: FastifyRequest): GroupPath {
  const { '*': rest = '' } = request.params as { readonly '*'?: string };
  const parts = rest.split('/').filter((part) => part !== '');
  const [beforeLast, last] = [parts.at(-2), parts.at(-1)];
  if (beforeLast === 'versions') return { kind: 'version', name: nameOf(parts, 2), version: last ?? '' };
  if (last === 'versions' || last === 'apps') return { kind: last, name: nameOf(parts, 1) };
  return { kind: 'group', name: nameOf(parts, 0) };
}

const nameOf = (parts: readonly string[], dropped: number): string =>
  `/${parts.slice(0, parts.length - dropped).join('/')}`;

/** @throws HttpProblem 422 */
function requireGroupId(text: string, base: GroupId = rootGroupId): GroupId {
  const parsed = parseGroupId(text, base);
  if ('error' in parsed) throw notValid([{ path: '/id', errors: [parsed.error] }]);
  return parsed.id;
}

/** @throws HttpProblem 405 for what is below a group but no group */
function groupNameOf(request: FastifyRequest): string {
  const path = pathOf(request);
  if (path.kind !== 'group') throw methodNotAllowed();
  return path.name;
}

/** Nothing can have a name that is no id. @throws HttpProblem 404 */
function requireGroup(tree: Tree, name: string, version = ''): Group {
  const parsed = parseGroupId(name);
  const group = 'id' in parsed ? tree.group(parsed.id) : undefined;
  if (group !== undefined) return group;
  throw notFound(`Group '${name}' does not exist${version === '' ? '' : ` in version ${version}`}`);
}

function read(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = pathOf(request);
  const world = deps.world();
  const tree = new Tree(world);
  const values = queryValues(request, 'embed');
  const embed = parseEmbed(request, 'list');
  switch (path.kind) {
    case 'group': {
      const group = requireGroup(tree, path.name);
      const wantsRunTime = values.some((value) => /^(group\.)?apps\./.test(value));
      const text = groupText(tree, group, parseGroupEmbed(values), (app) =>
        wantsRunTime ? appInfoText(world, app, embed, deps.now()) : appText(app),
      );
      return sendJson(reply.header('ETag', entityTag(group.version)), 200, text);
    }
    case 'apps': {
      const { id } = requireGroup(tree, path.name);
      const texts = Array.from(tree.appsBelow(id), (app) => appInfoText(world, app, embed, deps.now()));
      return sendJson(reply, 200, `[${texts.join(',')}]`);
    }
    case 'versions':
      return reply.send(groupVersions(world, requireGroup(tree, path.name).id));
    case 'version': {
      const older = treeAt(world, requireVersion(path.version));
      if (older === undefined)
        throw notFound(`Group '${path.name}' does not exist in version ${path.version}`);
      const group = requireGroup(older, path.name, path.version);
      const text = groupText(older, group, parseGroupEmbed(values), (app) => JSON.stringify(presentApp(app)));
      return sendJson(reply, 200, text);
    }
  }
}

async function create(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const base = requireGroupId(groupNameOf(request));
  const json = checked(groupUpdateSchema, jsonBody(request), request, reply);
  for (const mode of ['scaleBy', 'version'] as const) {
    if (json[mode] !== undefined) {
      throw notValid([{ path: `/${mode}`, errors: ['is for PUT only: it changes a group that exists'] }]);
    }
  }
  const id = json.id === undefined ? base : requireGroupId(json.id, base);
  return withGroup(deps, json, id, async (wanted, paths) => {
    const change: Change = { ...wanted, create: true, force: flag(request, 'force') };
    const result = await accept(deps, change, reply, { paths });
    return reply.header('Location', `/v2/groups${id}`).code(201).send(deploymentBody(result));
  });
}

async function update(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const path = pathOf(request);
  // An older form of bringing a version back, which Debian's python3-marathon uses.
  if (path.kind === 'version')
    return putMode(deps, requireGroupId(path.name), revertTo(path.version), request, reply);
  const base = requireGroupId(groupNameOf(request));
  const json = checked(groupUpdateSchema, jsonBody(request), request, reply);
  const id = json.id === undefined ? base : requireGroupId(json.id, base);
  return putMode(deps, id, modeOf(deps, json, id), request, reply);
}

async function putMode(
  deps: ApiDeps,
  id: GroupId,
  mode: Mode,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const options = { force: flag(request, 'force'), dryRun: flag(request, 'dryRun') };
  const basedOn = pinned(deps, request, id);
  const apply = async (change: Change, paths?: DefinitionPaths) => {
    const result = await accept(deps, change, reply, { basedOn, paths });
    return reply.send(options.dryRun ? { steps: result.steps } : deploymentBody(result));
  };
  switch (mode.kind) {
    case 'revert':
      return apply({ kind: 'revert-group', groupId: id, version: mode.version, ...options });
    case 'scale':
      return apply({ kind: 'scale-group', groupId: id, scaleBy: mode.scaleBy, ...options });
    case 'replace':
      return withGroup(deps, mode.json, id, (change, paths) => apply({ ...change, ...options }, paths));
  }
}

/** With `If-Match` a change is for that version of the group and no later one. @throws HttpProblem 412 */
function pinned(deps: ApiDeps, request: FastifyRequest, id: GroupId): ChangeRequest['basedOn'] {
  const version = new Tree(deps.world()).group(id)?.version;
  checkPreconditions(request, version);
  return request.headers['if-match'] === undefined ? undefined : new Map([[id, version]]);
}

type Mode =
  | { readonly kind: 'revert'; readonly version: AppVersion }
  | { readonly kind: 'scale'; readonly scaleBy: number }
  | { readonly kind: 'replace'; readonly json: GroupJson };

/** @throws HttpProblem 422 for what is no time */
const revertTo = (version: string): Mode => ({ kind: 'revert', version: requireVersion(version) });

/**
 * Which of its three things a PUT asks for.
 * @throws HttpProblem 422 when it asks for two
 */
function modeOf(deps: ApiDeps, json: GroupJson, id: GroupId): Mode {
  const { id: _id, version, scaleBy, pods: _pods, ...rest } = json;
  const others = Object.values(rest).some((value) => value !== undefined);
  if (scaleBy !== undefined) {
    if (others || version !== undefined) throw notValid([{ path: '/scaleBy', errors: [notAlone] }]);
    return { kind: 'scale', scaleBy };
  }
  if (version === undefined) return { kind: 'replace', json };
  if (!others) return revertTo(version);
  // A body that came from a GET: the version says what was read, it is not a wish.
  if (version === new Tree(deps.world()).group(id)?.version) return { kind: 'replace', json };
  throw notValid([{ path: '/version', errors: [notAlone] }]);
}

/** Reads the group, normalises the definitions in it and hands the change to `use`. @throws HttpProblem 422 */
async function withGroup(
  deps: ApiDeps,
  json: GroupJson,
  id: GroupId,
  use: (change: Extract<Change, { kind: 'put-group' }>, paths: DefinitionPaths) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  const details = new Details();
  const reader = new GroupReader(details, deps.info.role);
  const group = reader.read(json, id);
  if (!details.empty) throw notValid(details.list());
  return withNormalised(deps, reader.apps, async (apps, paths) => {
    const definitions = new Map(reader.apps.map((placed, index) => [placed, apps[index]!] as const));
    return use({ kind: 'put-group', update: withApps(group, definitions), force: false }, paths);
  });
}

/** Only `enforceRole`, and only of a group directly below the root. */
async function patch(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { id } = requireGroup(new Tree(deps.world()), groupNameOf(request));
  const body = checked(groupUpdateSchema.pick({ enforceRole: true }), jsonBody(request), request, reply);
  if (body.enforceRole === undefined) {
    throw notValid([{ path: '/enforceRole', errors: ['error.path.missing'] }]);
  }
  if (id.lastIndexOf('/') !== 0 || id === rootGroupId) {
    throw notValid([{ path: '/id', errors: ['Path needs to be top-level'] }]);
  }
  return withGroup(deps, body, id, async (change) => {
    await accept(deps, change, reply);
    return reply.code(200).send();
  });
}

async function remove(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { id } = requireGroup(new Tree(deps.world()), groupNameOf(request));
  const basedOn = pinned(deps, request, id);
  const change: Change = { kind: 'delete-group', groupId: id, force: flag(request, 'force') };
  return reply.send(deploymentBody(await accept(deps, change, reply, { basedOn })));
}
