import { z } from 'zod';
import { dropQuery, trafficQuery } from '../../v1/counters.ts';
import { pathQuery } from '../../v1/path.ts';
import type { Operation } from '../operation.ts';

const anything = z.record(z.string(), z.unknown());

/** What Marathon does not have: the switch explained, deployments that have ended. */
export const fabricOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/path',
    summary: 'What the switches would do with a packet, decision by decision',
    query: pathQuery,
    answers: { 200: { description: 'the decisions', schema: anything } },
  },
  {
    method: 'get',
    path: '/v1/drops',
    summary: 'What switches dropped, and why',
    query: dropQuery,
    answers: { 200: { description: 'most first', schema: z.object({ drops: z.array(anything) }) } },
  },
  {
    method: 'get',
    path: '/v1/traffic',
    summary: 'What switches delivered from app to app',
    query: trafficQuery,
    answers: { 200: { description: 'most first', schema: z.object({ pairs: z.array(anything) }) } },
  },
  {
    method: 'get',
    path: '/v1/deployments/history',
    summary: 'Deployments that have ended, and how',
    answers: {
      200: { description: 'newest first', schema: z.object({ deployments: z.array(anything) }) },
    },
  },
  {
    method: 'get',
    path: '/v1/deployments/{id}',
    summary: 'A deployment, under way or ended',
    answers: {
      200: { description: 'the deployment', schema: anything },
      404: { description: 'it is not remembered' },
    },
  },
];
