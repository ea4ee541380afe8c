import type { App } from '../../../src/model/app.ts';
import type { AppId } from '../../../src/model/ids.ts';
import type { ApiDeps } from '../deps.ts';
import { wantedApp } from '../../core/changes/tree.ts';
import { HttpProblem, notFound, notValid, type Detail, type DefinitionPaths } from '../problems.ts';
import { parseAppId, parseAppName } from './app-id.ts';
import type { AppJson, AppUpdateJson } from './app-json.ts';
import { definitionAt } from './app-versions.ts';
import { normalise } from './normalise.ts';
import { presentApp } from './present-app.ts';
import { keptServicePorts, servicePortAllocator } from './service-ports.ts';

/** The id of a URL, or of a definition `at` a place in a body. @throws HttpProblem 422 */
export function requireAppId(text: string, at = ''): AppId {
  const parsed = parseAppId(text);
  if ('error' in parsed) throw notValid([{ path: `${at}/id`, errors: [parsed.error] }]);
  return parsed.id;
}

/**
 * The app of that name in a URL. One that is being deleted is not there any more, as with Marathon, and nothing can
 * have a name that is no id.
 * @throws HttpProblem 404
 */
export function requireApp(deps: ApiDeps, name: string): App {
  const parsed = parseAppName(name);
  const app = 'id' in parsed ? wantedApp(deps.world(), parsed.id) : undefined;
  if (app === undefined) throw notFound(`App '${absolute(name)}' does not exist`);
  return app;
}

/** `shop//web/` → `/shop/web`, whatever is in it. */
export const absolute = (name: string): string =>
  `/${name
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`;

// Service ports of requests under way, which no stored app shows yet.
const reservedPorts = new Set<number>();

/** A definition whose id is absolute, and where in the request it is. */
export interface PlacedApp {
  readonly path: string;
  readonly json: AppJson;
}

/** A definition that is the whole request. */
export const whole = (json: AppJson): PlacedApp => ({ path: '', json });

/** An update of one app, and where in the request it is. */
export interface Update {
  readonly path: string;
  readonly id: AppId;
  readonly body: AppUpdateJson;
  /** Fields that the definition is to lose. */
  readonly unset?: readonly string[];
}

/**
 * Normalises definitions and hands them to `use`, with their paths; automatic service ports stay reserved until that ends.
 * @throws HttpProblem 422 with every error by path
 */
export async function withNormalised<T>(
  deps: ApiDeps,
  definitions: readonly PlacedApp[],
  use: (apps: readonly App[], paths: DefinitionPaths) => Promise<T>,
): Promise<T> {
  const before = new Set(reservedPorts);
  const nextServicePort = servicePortAllocator(deps.world(), reservedPorts);
  const mine = () => [...reservedPorts].filter((port) => !before.has(port));
  let ports: number[] = [];
  try {
    const details: Detail[] = [];
    const paths = new Map<AppId, string>();
    const apps = definitions.flatMap(({ path, json }) => {
      const id = parseAppId(json.id);
      const present = 'id' in id ? wantedApp(deps.world(), id.id) : undefined;
      const result = normalise(json, {
        role: deps.info.role,
        defaultNetwork: deps.info.defaultNetwork,
        domainOf: (network) => deps.world().networks.get(network)?.domain,
        secretProblem: deps.secretProblem,
        defaultImage: deps.info.defaultImage,
        now: deps.now(),
        nextServicePort: keptServicePorts(present, json, nextServicePort),
      });
      if (result.kind === 'app') {
        paths.set(result.app.id, path);
        return [result.app];
      }
      details.push(...result.details.map((detail) => ({ ...detail, path: `${path}${detail.path}` })));
      return [];
    });
    if (details.length > 0) throw notValid(details);
    ports = mine();
    return await use(apps, paths);
  } finally {
    for (const port of ports.length > 0 ? ports : mine()) reservedPorts.delete(port);
  }
}

/**
 * The full definition that an update means: a field that is present replaces the whole field of the current
 * definition, a field of `unset` is left out; `version` alone brings an older one back. With `partial` false the update is the
 * definition, and a version in it means nothing.
 * @throws HttpProblem 404 for an unknown version, or one of no app, 422 for a version beside other fields
 */
export function updatedDefinition(
  deps: ApiDeps,
  { path, id, body: update, unset = [] }: Update,
  partial: boolean,
): AppJson {
  const current = wantedApp(deps.world(), id);
  const body = { ...withoutRunTimeFields(update), id };
  if (!partial) return body;
  const isAlone = Object.keys(update).every((field) => field === 'version' || field === 'id');
  if (update.version !== undefined && (current === undefined ? isAlone : !isReadBack(update))) {
    if (!isAlone) {
      const message = "The 'version' field may only be combined with the 'id' field.";
      throw new HttpProblem(422, message, { details: [{ path: `${path}/version`, errors: [message] }] });
    }
    return { ...versionOf(deps, id, update.version), id };
  }
  if (current === undefined) return body;
  const base = presentApp(ofOurRole(deps, current));
  for (const field of [...displaced(update), ...unset]) delete base[field];
  return { ...withoutRunTimeFields(base), ...body };
}

/** The fields of a merge patch that are null: whole fields only, as everywhere in an update. */
export const unsetFields = (patch: unknown): string[] =>
  patch === null || typeof patch !== 'object'
    ? []
    : Object.entries(patch).flatMap(([field, value]) => (value === null ? [field] : []));

const versionOf = (deps: ApiDeps, id: AppId, version: string): AppUpdateJson =>
  withoutRunTimeFields(presentApp(ofOurRole(deps, definitionAt(deps, requireApp(deps, id), version))));

/** A definition of the time before the scheduler got another role, as it is of the role of today. */
function ofOurRole({ info: { role } }: ApiDeps, app: App): App {
  if (app.role === role) return app;
  const accepted = app.acceptedResourceRoles.map((each) => (each === app.role ? role : each));
  return { ...app, role, acceptedResourceRoles: [...new Set(accepted)] };
}

/** A body that came from a GET carries run-time fields beside the version: the version is then not a wish. */
const isReadBack = (update: AppUpdateJson): boolean =>
  update.versionInfo !== undefined || update.tasksRunning !== undefined;

function withoutRunTimeFields(json: AppUpdateJson): AppUpdateJson {
  const {
    version: _version,
    versionInfo: _versionInfo,
    deployments: _deployments,
    tasks: _tasks,
    tasksStaged: _staged,
    tasksRunning: _running,
    tasksHealthy: _healthy,
    tasksUnhealthy: _unhealthy,
    lastTaskFailure: _failure,
    readinessCheckResults: _readiness,
    tasksStats: _stats,
    ...rest
  } = json;
  return rest;
}

/** Fields of the current definition that a given field takes the place of. */
function displaced(update: AppUpdateJson): string[] {
  const fields: string[] = [];
  if (update.cmd !== undefined) fields.push('args');
  if (update.args !== undefined) fields.push('cmd');
  if (update.ports !== undefined) fields.push('portDefinitions');
  if (update.uris !== undefined && update.fetch === undefined) fields.push('fetch');
  const legacyNetwork = update.ipAddress !== undefined || update.container?.docker?.network !== undefined;
  if (legacyNetwork) fields.push('networks');
  if (legacyNetwork || update.networks !== undefined) fields.push('portDefinitions');
  return fields;
}
