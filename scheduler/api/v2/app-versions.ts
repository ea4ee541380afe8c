import type { App } from '../../../src/model/app.ts';
import { versionAt, type AppVersion } from '../../../src/model/ids.ts';
import type { ApiDeps } from '../deps.ts';
import { HttpProblem, notFound } from '../problems.ts';

/** The versions of an app that are kept, newest first. */
export function versionsOf(deps: ApiDeps, app: App): string[] {
  const older = [...(deps.world().versions.get(app.id)?.keys() ?? [])];
  return [...new Set([app.version, ...older])].sort().toReversed();
}

/**
 * The definition of an app at a version.
 * @throws HttpProblem 404 for one that is not kept, 422 for what is no time
 */
export function definitionAt(deps: ApiDeps, app: App, version: string): App {
  const canonical = requireVersion(version);
  if (canonical === app.version) return app;
  const found = deps.world().versions.get(app.id)?.get(canonical);
  if (found === undefined) throw notFound(`App '${app.id}' does not exist in version ${version}`);
  return found;
}

/**
 * A version as it is stored: the same moment may be written with fewer digits, or in another time zone.
 * @throws HttpProblem 422 for what is no time
 */
export function requireVersion(text: string): AppVersion {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return versionAt(time);
  throw new HttpProblem(422, `Invalid timestamp provided '${text}'. Expecting ISO-8601 datetime string.`);
}
