import { z } from 'zod';
import { loggingSchema } from '../../v2/metrics.ts';
import type { Operation } from '../operation.ts';
import * as query from '../queries.ts';
import { info, metrics } from '../schemas.ts';

const pong = { description: 'pong, as text, HTML or JSON', type: 'text/plain' };
const unwanted = { description: 'none of these is accepted' };
const leader = z.object({ leader: z.string() });
const prometheus = { description: 'Prometheus’s text format', type: 'text/plain' };
const noCallbacks = { description: 'callbacks are not supported' };
const noPod = { description: 'there are no pods' };
const anything = z.record(z.string(), z.unknown());
const unfitHost = z.object({
  agentId: z.string(),
  hostname: z.string(),
  problem: z.string(),
  since: z.string(),
  until: z.string(),
});
const level = z.object({ ROOT: z.string() });

/** What is about the scheduler and the cluster as a whole. */
export const clusterOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/ping',
    summary: 'Whether it is there',
    access: 'open',
    answers: { 200: pong, 204: unwanted },
  },
  {
    method: 'get',
    path: '/v2/info',
    summary: 'Who leads, and with which settings',
    answers: { 200: { description: 'the settings', schema: info } },
  },
  {
    method: 'get',
    path: '/v2/leader',
    summary: 'Who leads',
    answers: { 200: { description: 'its host and port', schema: leader } },
  },
  {
    method: 'delete',
    path: '/v2/leader',
    summary: 'Ask the leader to step down: its process ends',
    access: 'admin',
    answers: { 200: { description: 'it will', schema: z.object({ message: z.string() }) } },
  },
  {
    method: 'get',
    path: '/v2/events',
    summary: 'What happens, as server-sent events; a client that comes back sends Last-Event-ID',
    query: query.events,
    answers: { 200: { description: 'the stream', type: 'text/event-stream' } },
  },
  {
    method: 'get',
    path: '/v2/eventSubscriptions',
    summary: 'Callbacks: none, Marathon dropped them in 1.5',
    answers: { 200: { description: 'none', schema: z.object({ callbackUrls: z.array(z.string()) }) } },
  },
  {
    method: 'post',
    path: '/v2/eventSubscriptions',
    summary: 'Callbacks are refused',
    answers: { 400: noCallbacks },
  },
  {
    method: 'delete',
    path: '/v2/eventSubscriptions',
    summary: 'Callbacks are refused',
    answers: { 400: noCallbacks },
  },
  {
    method: 'get',
    path: '/metrics',
    summary: 'Metrics: as JSON, or for Prometheus when that is what the client prefers',
    answers: { 200: { description: 'the metrics', schema: metrics } },
  },
  {
    method: 'get',
    path: '/metrics/prometheus',
    summary: 'Metrics for Prometheus',
    answers: { 200: prometheus },
  },
  {
    method: 'get',
    path: '/logging',
    summary: 'The log level',
    answers: { 200: { description: 'the level', schema: level } },
  },
  {
    method: 'post',
    path: '/logging',
    summary: 'Change the log level, for good or for some seconds',
    access: 'admin',
    body: loggingSchema,
    answers: { 200: { description: 'the level', schema: level } },
  },
  {
    method: 'get',
    path: '/v2/pods',
    summary: 'Pods: none',
    answers: { 200: { description: 'none', schema: z.array(anything) } },
  },
  {
    method: 'get',
    path: '/v2/pods/::status',
    summary: 'The states of pods: none',
    answers: { 200: { description: 'none', schema: z.array(anything) } },
  },
  { method: 'post', path: '/v2/pods', summary: 'Pods are refused', answers: { 422: noPod } },
  { method: 'get', path: '/v2/pods/{podId}', summary: 'No pod', answers: { 404: noPod } },
  { method: 'put', path: '/v2/pods/{podId}', summary: 'Pods are refused', answers: { 422: noPod } },
  { method: 'delete', path: '/v2/pods/{podId}', summary: 'No pod', answers: { 404: noPod } },
  {
    method: 'get',
    path: '/v2/plugins',
    summary: 'Plugins: none',
    answers: { 200: { description: 'none', schema: z.object({ plugins: z.array(anything) }) } },
  },
  {
    method: 'get',
    path: '/v1/hosts',
    summary:
      'Every host with its switch and its view; one that is gone for a week and holds nothing is left out. Besides, hosts on which nothing is launched for now, because their executor cannot serve them',
    answers: {
      200: {
        description: 'the hosts',
        schema: z.object({ hosts: z.array(anything), unfit: z.array(unfitHost) }),
      },
    },
  },
  {
    method: 'get',
    path: '/v2/openapi.json',
    summary: 'This description',
    answers: { 200: { description: 'OpenAPI 3.1', schema: anything } },
  },
  {
    method: 'get',
    path: '/',
    summary: 'Leads to the page',
    answers: { 302: { description: 'to /help' } },
  },
  {
    method: 'get',
    path: '/help',
    summary: 'This description as a page',
    answers: { 200: { description: 'the page', type: 'text/html' } },
  },
];
