import { z } from 'zod';
import { listingQuery } from '../http/listing.ts';

const flag = z.stringbool({ truthy: ['true', ''], falsy: ['false'] });
const word = z.string();
const words = z.array(word);

/** Parameters that several operations have. */
export const force = z.object({
  force: flag.default(false).describe('even when a deployment holds the app'),
});
export const update = force.extend({
  partialUpdate: flag.default(true).describe('false: the body is the whole definition'),
  strict: flag.default(false).describe('refuse fields that are not known'),
});
export const create = force.extend({
  strict: flag.default(false).describe('refuse fields that are not known'),
});
export const kill = force.extend({
  scale: flag.default(false).describe('make the app smaller by as many'),
  wipe: flag
    .default(false)
    .describe('give unreachable tasks up at once, so that each slot is placed anew; not with scale'),
});
export const groupUpdate = create.extend({
  dryRun: flag.default(false).describe('only tell the steps'),
});
export const groupEmbed = z.object({
  embed: words
    .optional()
    .describe('group.groups, group.apps, group.pods (all of them unless told), group.apps.tasks …'),
});
export const embed = z.object({
  embed: words
    .optional()
    .describe('tasks, counts, deployments, readiness, lastTaskFailure, failures, taskStats'),
});
export const apps = listingQuery.extend({
  ...embed.shape,
  id: word.optional().describe('only apps with this in their id'),
  cmd: word.optional().describe('only apps with this in their command'),
  label: word.optional().describe('only apps with these labels: a, a==b, a!=b, a in (b,c), a notin (b,c)'),
});
export const tasks = listingQuery.extend({
  status: z.array(z.enum(['running', 'staging'])).optional(),
  containerNetworks: word.optional().describe('text only: networks whose tasks are reached at their address'),
});
export const events = z.object({
  event_type: words.optional().describe('only these types; * for all, also those that Marathon has not'),
  'plan-format': z.enum(['light']).optional().describe('plans without definitions'),
  lastEventId: word.optional().describe('as the header Last-Event-ID'),
});
