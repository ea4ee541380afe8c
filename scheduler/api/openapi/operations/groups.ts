import { z } from 'zod';
import { groupUpdateSchema } from '../../v2/group-json.ts';
import { name, type Answer, type Operation } from '../operation.ts';
import * as query from '../queries.ts';
import { appInfo, deploymentResult, groupInfo } from '../schemas.ts';

name('GroupUpdate', groupUpdateSchema);

const group = { description: 'the group', schema: groupInfo };
const unknown = { description: 'there is no such group' };
const locked = { description: 'a deployment holds an app of it; force=true goes ahead all the same' };
const outdated = { description: 'If-Match or If-None-Match does not hold' };
const deployed = { description: 'the deployment that it began', schema: deploymentResult };
const step = z.object({ actions: z.array(z.object({ action: z.string(), app: z.string() })) });
const planned = {
  description: 'the deployment that it began, or with dryRun its steps',
  schema: z.union([deploymentResult, z.object({ steps: z.array(step) })]),
};

/** What can be done with a group at a path: the root group has one of its own. */
function operationsAt(path: string): Operation[] {
  const get = (below: string, summary: string, answer: Answer, embed?: z.ZodObject): Operation => ({
    method: 'get',
    path: `${path}${below}`,
    summary,
    ...(embed === undefined ? {} : { query: embed }),
    answers: { 200: answer, 404: unknown },
  });
  return [
    get('', 'A group with what is in it; the header ETag names its version', group, query.groupEmbed),
    {
      method: 'post',
      path,
      summary: 'Create a group',
      query: query.create,
      body: groupUpdateSchema,
      answers: {
        201: { description: 'it was created', schema: deploymentResult },
        409: { description: 'it exists, or a deployment holds an app of it' },
      },
    },
    {
      method: 'put',
      path,
      summary: 'Replace what is in a group, scale it by scaleBy, or bring a version back by version',
      query: query.groupUpdate,
      body: groupUpdateSchema,
      answers: { 200: planned, 409: locked, 412: outdated },
    },
    {
      method: 'patch',
      path,
      summary: 'Set enforceRole of a group directly below the root',
      body: groupUpdateSchema.pick({ enforceRole: true }),
      answers: { 200: { description: 'it is set' }, 404: unknown },
    },
    {
      method: 'delete',
      path,
      summary: 'Remove a group and everything in it',
      query: query.force,
      answers: { 200: deployed, 404: unknown, 409: locked, 412: outdated },
    },
    get(
      '/apps',
      'The apps of a group, at any depth',
      { description: 'the apps', schema: z.array(appInfo) },
      query.embed,
    ),
    get('/versions', 'The versions of a group that are remembered, newest first', {
      description: 'the versions',
      schema: z.array(z.iso.datetime()),
    }),
    get('/versions/{version}', 'A group as it was', group, query.groupEmbed),
    {
      method: 'put',
      path: `${path}/versions/{version}`,
      summary: 'Bring a version of a group back',
      query: query.groupUpdate,
      answers: { 200: planned, 404: unknown, 409: locked, 412: outdated },
    },
  ];
}

/** `/v2/groups` and below. */
export const groupOperations: readonly Operation[] = [
  ...operationsAt('/v2/groups'),
  ...operationsAt('/v2/groups/{groupId}'),
];
