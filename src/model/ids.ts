/**
 * Branded identifiers: plain strings at run time that the compiler keeps apart. They are made only here, at the
 * edges where text comes in; everywhere else they are passed on.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Absolute path of an app, `/shop/web`. */
export type AppId = Branded<'AppId'>;
/** Absolute path of a group, `/shop`; the root is `/`. */
export type GroupId = Branded<'GroupId'>;
/** What a dependency names: an app, or a group with all apps below it. */
export type PathId = AppId | GroupId;
/** One numbered place of an app, `/shop/web#0`. */
export type SlotId = Branded<'SlotId'>;
/** Mesos task id of one incarnation, `shop_web.instance-<uuid>._app.<epoch>`. */
export type TaskId = Branded<'TaskId'>;
export type DeploymentId = Branded<'DeploymentId'>;
export type FrameworkId = Branded<'FrameworkId'>;
/** Mesos agent id; it names the host everywhere in Patchpanel (views, tunnels, API). */
export type AgentId = Branded<'AgentId'>;
export type ExecutorId = Branded<'ExecutorId'>;
export type OfferId = Branded<'OfferId'>;
export type NetworkName = Branded<'NetworkName'>;
/** `yyyy-MM-ddTHH:mm:ss.SSSZ`, the version string of an app. */
export type AppVersion = Branded<'AppVersion'>;

export const appId = (text: string): AppId => text as AppId;
export const groupId = (text: string): GroupId => text as GroupId;
export const taskId = (text: string): TaskId => text as TaskId;
export const deploymentId = (text: string): DeploymentId => text as DeploymentId;
export const frameworkId = (text: string): FrameworkId => text as FrameworkId;
export const agentId = (text: string): AgentId => text as AgentId;
export const executorId = (text: string): ExecutorId => text as ExecutorId;
export const offerId = (text: string): OfferId => text as OfferId;
export const networkName = (text: string): NetworkName => text as NetworkName;

/** `/shop/web` and 0 → `/shop/web#0`. */
export const slotId = (app: AppId, index: number): SlotId => `${app}#${index}` as SlotId;

/** A slot id that was stored or sent: taken as it is. */
export const slotIdFromText = (text: string): SlotId => text as SlotId;

/** `/shop/web` → `shop_web`, the form Marathon uses in task ids. */
export const safeAppId = (app: AppId): string => app.slice(1).replaceAll('/', '_');

/** `uuid` as text; `shop_web.instance-<uuid>._app.<epoch>`. */
export const incarnationTaskId = (app: AppId, uuid: string, epoch: number): TaskId =>
  taskId(`${safeAppId(app)}.instance-${uuid}._app.${epoch}`);

/** Mesos refuses tasks with longer ids, characters. */
const longestTaskId = 255;
/** In decimal. */
const epochDigits = 10;

/** An app with a longer id could not have tasks, characters. */
export const longestAppId =
  longestTaskId - incarnationTaskId(appId(''), 'x'.repeat(36), 10 ** (epochDigits - 1)).length + 1;

/** Marathon's instance id: the task id without what counts the incarnations. */
export const instanceIdOf = (task: TaskId): string => task.replace(/\._app\.\d+$/, '');

/** The version string of a moment, in milliseconds since 1970. */
export const versionAt = (nowMs: number): AppVersion => isoTime(nowMs) as AppVersion;

/** The moment of a version, milliseconds since 1970. */
export const versionTime = (version: AppVersion): number => globalThis.Date.parse(version);

export const appVersion = (text: string): AppVersion => text as AppVersion;

/** ISO 8601 in UTC with exactly three digits of milliseconds, as Marathon prints times. */
export function isoTime(ms: number): string {
  return new globalThis.Date(ms).toISOString();
}
