import { z } from 'zod';
import { bulkSchema, createSchema } from '../../v2/app-writes.ts';
import { appUpdateSchema } from '../../v2/app-json.ts';
import { listingQuery } from '../../http/listing.ts';
import { name, type Operation } from '../operation.ts';
import * as query from '../queries.ts';
import { app, appInfo, deploymentResult, task } from '../schemas.ts';

name('AppDefinition', createSchema);
name('AppUpdate', appUpdateSchema);

const deployed = { description: 'the deployment that it began', schema: deploymentResult };
const created = {
  description: 'it was created; the header Location tells where it is',
  schema: deploymentResult,
};
const locked = { description: 'a deployment holds the app; force=true goes ahead all the same' };
const unknown = { description: 'there is no such app' };
const outdated = { description: 'If-Match or If-None-Match does not hold' };
const tasks = z.object({ tasks: z.array(task) });

/** `/v2/apps` and below. */
export const appOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v2/apps',
    summary: 'All apps, or those that the filters let through',
    query: query.apps,
    answers: { 200: { description: 'the apps', schema: z.object({ apps: z.array(appInfo) }) } },
  },
  {
    method: 'post',
    path: '/v2/apps',
    summary: 'Create an app',
    query: query.create,
    body: createSchema,
    answers: { 201: { description: 'the new app', schema: appInfo }, 409: { description: 'it exists' } },
  },
  {
    method: 'put',
    path: '/v2/apps',
    summary:
      'Change several apps in one deployment, and create those that are not there; with If-None-Match: * only create',
    query: query.update,
    body: bulkSchema,
    answers: { 200: deployed, 409: locked, 412: { description: 'If-None-Match does not hold: some exist' } },
  },
  {
    method: 'patch',
    path: '/v2/apps',
    summary: 'Change several apps in one deployment',
    query: query.update,
    body: bulkSchema,
    answers: { 200: deployed, 404: unknown, 409: locked },
  },
  {
    method: 'get',
    path: '/v2/apps/{appId}',
    summary: 'One app with its tasks; the header ETag names its definition',
    query: listingQuery.pick({ fields: true }).extend(query.embed.shape),
    answers: { 200: { description: 'the app', schema: z.object({ app: appInfo }) }, 404: unknown },
  },
  {
    method: 'put',
    path: '/v2/apps/{appId}',
    summary: 'Change an app or create it; {"version": …} alone brings an older definition back',
    query: query.update,
    body: appUpdateSchema,
    answers: { 200: deployed, 201: created, 409: locked, 412: outdated },
  },
  {
    method: 'patch',
    path: '/v2/apps/{appId}',
    summary: 'Change an app; as application/merge-patch+json null takes a field away',
    query: query.update,
    body: appUpdateSchema,
    answers: { 200: deployed, 404: unknown, 409: locked, 412: outdated },
  },
  {
    method: 'delete',
    path: '/v2/apps/{appId}',
    summary: 'Remove an app; force is true unless told otherwise',
    query: query.force,
    answers: { 200: deployed, 404: unknown, 409: locked, 412: outdated },
  },
  {
    method: 'post',
    path: '/v2/apps/{appId}/restart',
    summary: 'Replace every task of an app',
    query: query.force,
    answers: { 200: deployed, 404: unknown, 409: locked, 412: outdated },
  },
  {
    method: 'get',
    path: '/v2/apps/{appId}/tasks',
    summary: 'The tasks of an app',
    query: query.tasks.omit({ status: true }),
    answers: { 200: { description: 'the tasks', schema: tasks }, 404: unknown },
  },
  {
    method: 'delete',
    path: '/v2/apps/{appId}/tasks',
    summary: 'Kill the tasks of an app',
    query: query.kill.extend({ host: z.string().optional().describe('only those on this host') }),
    answers: {
      200: {
        description: 'the tasks, or with scale the deployment',
        schema: z.union([tasks, deploymentResult]),
      },
      404: unknown,
      409: locked,
    },
  },
  {
    method: 'delete',
    path: '/v2/apps/{appId}/tasks/{taskId}',
    summary: 'Kill one task',
    query: query.kill,
    answers: {
      200: {
        description: 'the task, or with scale the deployment',
        schema: z.union([z.object({ task }), deploymentResult]),
      },
      404: unknown,
      409: locked,
    },
  },
  {
    method: 'get',
    path: '/v2/apps/{appId}/versions',
    summary: 'The versions of an app that are kept, newest first',
    answers: {
      200: { description: 'the versions', schema: z.object({ versions: z.array(z.iso.datetime()) }) },
      404: unknown,
    },
  },
  {
    method: 'get',
    path: '/v2/apps/{appId}/versions/{version}',
    summary: 'The definition of an app at a version',
    answers: { 200: { description: 'the definition', schema: app }, 404: unknown },
  },
  {
    method: 'get',
    path: '/v2/apps/{groupId}/*',
    summary: 'The apps below a group, at any depth',
    query: query.apps.omit({ id: true, cmd: true, label: true }),
    answers: {
      200: { description: 'the apps', schema: z.object({ '*': z.array(appInfo) }) },
      404: { description: 'there is no such group' },
    },
  },
  {
    method: 'get',
    path: '/v2/apps/{groupId}/*/tasks',
    summary: 'The tasks of the apps below a group',
    query: query.tasks.omit({ status: true }),
    answers: {
      200: { description: 'the tasks', schema: tasks },
      404: { description: 'there is no such group' },
    },
  },
];
