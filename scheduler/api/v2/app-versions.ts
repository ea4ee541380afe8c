import type { App } from '../../../src/model/app.ts';
import { appVersion } from '../../../src/model/ids.ts';
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
  const time = Date.parse(version);
  if (Number.isNaN(time)) {
    throw new HttpProblem(
      422,
      `Invalid timestamp provided '${version}'. Expecting ISO-8601 datetime string.`,
    );
  }
  // The same moment may be written in several ways: with fewer digits, or in another time zone.
  const canonical = new Date(time).toISOString();
  if (canonical === app.version) return app;
  const found = deps.world().versions.get(app.id)?.get(appVersion(canonical));
  if (found === undefined) throw notFound(`App '${app.id}' does not exist in version ${version}`);
  return found;
}
