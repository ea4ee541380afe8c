import type { App } from '../../../src/model/app.ts';
import type { DeploymentId } from '../../../src/model/ids.ts';
import { noTasks, type TaskCounts } from '../../core/slots/task-counts.ts';
import type { World } from '../../core/world.ts';
import { picked, type Listing } from '../http/listing.ts';
import { liveInstancesOf, presentApp, runTimeFields, taskCountsOf, type Embed } from './present-app.ts';
import { presentTask } from './present-task.ts';
import { presentCounts } from './task-stats.ts';

/**
 * Texts are kept as long as the object that they are of, so there are as many as apps. INVARIANT: they are made of
 * nothing but what is compared before they are used (an app, its counts and its deployment's id, none of which changes
 * in place; for its tasks the number of its last change), so a kept text is the one that would be made now.
 */
const definitions = new WeakMap<App, string>();
const plainTexts = new WeakMap<App, PlainText>();
const taskedTexts = { marathon: new WeakMap<App, TaskedText>(), extended: new WeakMap<App, TaskedText>() };

interface PlainText {
  readonly counts: TaskCounts;
  readonly deploymentId: DeploymentId | undefined;
  readonly text: string;
}

interface TaskedText {
  readonly change: number | undefined;
  readonly networksChange: number;
  readonly plain: string;
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
  const { lastTaskFailure, readiness, taskStats } = embed;
  if (lastTaskFailure || readiness || taskStats)
    return extended(appText(app), runTimeFields(world, app, embed, now));
  return embed.tasks ? taskedText(world, app, embed.extended) : plainText(world, app);
}

/** With counts and deployments, and with tasks: what load balancers read after every event. */
function taskedText(world: World, app: App, extensions: boolean): string {
  const texts = taskedTexts[extensions ? 'extended' : 'marathon'];
  const { networksChange } = world;
  const change = world.appChanges.get(app.id);
  const plain = plainText(world, app);
  const kept = texts.get(app);
  if (kept?.change === change && kept?.networksChange === networksChange && kept.plain === plain)
    return kept.text;
  const tasks = liveInstancesOf(world, app.id).map((each) => presentTask(world, each, extensions));
  const text = extended(plain, { tasks });
  texts.set(app, { change, networksChange, plain, text });
  return text;
}

const nothing: Embed = {
  tasks: false,
  lastTaskFailure: false,
  readiness: false,
  taskStats: false,
  extended: false,
};

/** With counts and deployments, which are always shown. */
function plainText(world: World, app: App): string {
  const counts = taskCountsOf(world, app.id);
  const deploymentId = world.jobs.get(app.id)?.deploymentId;
  const kept = plainTexts.get(app);
  if (kept?.counts === counts && kept.deploymentId === deploymentId) return kept.text;
  const text = extended(appText(app), runTimeFields(world, app, nothing, 0));
  plainTexts.set(app, { counts, deploymentId, text });
  return text;
}

/** As appInfoText, with only the fields that were asked for, if any were. */
export function listedAppText(world: World, app: App, embed: Embed, listing: Listing, now: number): string {
  if (listing.fields === undefined) return appInfoText(world, app, embed, now);
  const definition = picked(presentApp(app), listing);
  return JSON.stringify({ ...definition, ...picked(runTimeFields(world, app, embed, now), listing) });
}

/** The text of an object with more fields, in one piece: it is copied often. */
const extended = (text: string, fields: Readonly<Record<string, unknown>>): string =>
  [text.slice(0, -1), ',', JSON.stringify(fields).slice(1)].join('');
