import { z } from 'zod';
import { killListSchema } from '../../v2/tasks.ts';
import { listingQuery } from '../../http/listing.ts';
import type { Operation } from '../operation.ts';
import * as query from '../queries.ts';
import { deployment, deploymentResult, queueItem, task } from '../schemas.ts';

const tasks = z.object({ tasks: z.array(task) });
const unknown = { description: 'there is no such deployment' };

/** What is under way: tasks, deployments, the queue. */
export const workOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v2/tasks',
    summary: 'The tasks of all apps; as text/plain a line for each service port',
    query: query.tasks,
    answers: { 200: { description: 'the tasks', schema: tasks } },
  },
  {
    method: 'post',
    path: '/v2/tasks/delete',
    summary: 'Kill tasks by id; those that are not known are ignored',
    query: query.kill,
    body: killListSchema,
    answers: {
      200: {
        description: 'the tasks, or with scale the deployment',
        schema: z.union([tasks, deploymentResult]),
      },
    },
  },
  {
    method: 'get',
    path: '/v2/deployments',
    summary: 'What is under way',
    query: listingQuery,
    answers: { 200: { description: 'the deployments', schema: z.array(deployment) } },
  },
  {
    method: 'delete',
    path: '/v2/deployments/{id}',
    summary: 'Undo a deployment by another one, or with force drop it as it is',
    query: query.force,
    answers: {
      200: { description: 'the deployment that undoes it', schema: deploymentResult },
      202: { description: 'it was dropped' },
      404: unknown,
    },
  },
  {
    method: 'get',
    path: '/v2/queue',
    summary: 'Apps with tasks that are still to be launched, and why they are not yet',
    query: listingQuery.extend({
      embed: z.array(z.enum(['lastUnusedOffers'])).optional(),
    }),
    answers: { 200: { description: 'the queue', schema: z.object({ queue: z.array(queueItem) }) } },
  },
  {
    method: 'delete',
    path: '/v2/queue/{appId}/delay',
    summary: 'Launch at once what waits after failures',
    answers: {
      204: { description: 'it does not wait any more' },
      404: { description: 'it is not in the queue' },
    },
  },
];
