import type { App } from '../../../src/model/app.ts';
import type { DeploymentId } from '../../../src/model/ids.ts';
import { noTasks, type TaskCounts } from '../../core/slots/task-counts.ts';
import type { World } from '../../core/world.ts';
import { picked, type Listing } from '../http/listing.ts';
import { presentApp, runTimeFields, taskCountsOf, type Embed } from './present-app.ts';
import { presentCounts } from './task-stats.ts';

/**
 * Texts are kept as long as the object that they are of, so there are as many as apps. INVARIANT: they are made of
 * nothing but what is compared before they are used (an app, its counts and its deployment's id, none of which changes
 * in place), so a kept text is the one that would be made now.
 */
const definitions = new WeakMap<App, string>();
const plainTexts = new WeakMap<App, PlainText>();

interface PlainText {
  readonly counts: TaskCounts;
  readonly deploymentId: DeploymentId | undefined;
  readonly text: string;
}

/** The definition alone as JSON text. */
export function appText(app: App): string {
  let text = definitions.get(app);
  if (text === undefined) {
    text = JSON.stringify(presentApp(app));
    definitions.set(app, text);
  }
  return text;
}

/** AppInfo of an app that was made just now: without tasks, and with its deployment also when there was nothing to do. */
export function createdAppText(app: App, deploymentId: DeploymentId | undefined): string {
  const deployments = deploymentId === undefined ? [] : [{ id: deploymentId }];
  return extended(appText(app), { ...presentCounts(noTasks), deployments });
}

/** AppInfo (definition and run-time fields) as JSON text; a long list costs what changed since the last one. */
export function appInfoText(world: World, app: App, embed: Embed, now: number): string {
  const isPlain = !embed.tasks && !embed.lastTaskFailure && !embed.readiness && !embed.taskStats;
  if (!isPlain) return joined(world, app, embed, now);
  const counts = taskCountsOf(world, app.id);
  const deploymentId = world.jobs.get(app.id)?.deploymentId;
  const kept = plainTexts.get(app);
  if (kept?.counts === counts && kept.deploymentId === deploymentId) return kept.text;
  const text = joined(world, app, embed, now);
  plainTexts.set(app, { counts, deploymentId, text });
  return text;
}

/** As appInfoText, with only the fields that were asked for, if any were. */
export function listedAppText(world: World, app: App, embed: Embed, listing: Listing, now: number): string {
  if (listing.fields === undefined) return appInfoText(world, app, embed, now);
  const definition = picked(presentApp(app), listing);
  return JSON.stringify({ ...definition, ...picked(runTimeFields(world, app, embed, now), listing) });
}

const joined = (world: World, app: App, embed: Embed, now: number): string =>
  extended(appText(app), runTimeFields(world, app, embed, now));

/** The text of an object with more fields. */
const extended = (text: string, fields: Readonly<Record<string, unknown>>): string =>
  `${text.slice(0, -1)},${JSON.stringify(fields).slice(1)}`;
