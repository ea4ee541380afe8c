import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Endpoint } from '../core/messages.ts';
import type { Master } from '../core/master.ts';
import { metricsPage } from '../core/master-metrics.ts';
import { frameworksPage, rolesPage, slavesPage, statePage } from '../core/master-pages.ts';
import { tasksPage } from '../core/master-task-pages.ts';
import { version } from '../core/version.ts';
import type { Credential } from '../options.ts';
import { authenticate } from './basic-auth.ts';
import { wrongMethod } from './call-body.ts';
import { send, type Answer } from './exchange.ts';
import { handleScheduler, type SchedulerEndpointOptions } from './scheduler-endpoint.ts';

/** What a master is at the moment. */
export type Leadership =
  | { readonly kind: 'leading'; readonly master: Master }
  /** A standby that knows, or believes to know, the leader. */
  | { readonly kind: 'standby'; readonly leader: Endpoint }
  | { readonly kind: 'leaderless' };

export interface MasterEndpointOptions extends Omit<SchedulerEndpointOptions, 'leader'> {
  readonly credentials: readonly Credential[] | undefined;
  readonly leadership: () => Leadership;
}

const schedulerPath = '/api/v1/scheduler';

/** Everything that a master's port answers, with and without the prefix `/master`. */
export async function handleMaster(
  options: MasterEndpointOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const name = url.pathname.replace(/^\/master(?=\/)/, '');
  if (name === schedulerPath) return schedulerCall(options, request, response);
  if (request.method !== 'GET') return send(response, wrongMethod(request.method ?? '', 'GET'));
  send(response, page(options.leadership(), name, url));
}

async function schedulerCall(
  options: MasterEndpointOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const authenticated = authenticate(request, options.credentials);
  if ('refusal' in authenticated) return send(response, authenticated.refusal);
  const leadership = options.leadership();
  if (leadership.kind !== 'leading') return send(response, elsewhere(leadership, `/master${schedulerPath}`));
  const leader = () => {
    const now = options.leadership();
    return now.kind === 'leading' ? now.master : undefined;
  };
  await handleScheduler({ ...options, leader }, request, response, authenticated.principal);
}

function page(leadership: Leadership, name: string, url: URL): Answer {
  if (name === '/health') return { status: 200 };
  if (name === '/version') return { status: 200, body: version };
  if (leadership.kind !== 'leading') {
    const path = name === '/redirect' ? '' : `/master${name}${url.search}`;
    return name === '/metrics/snapshot'
      ? { status: 200, body: { 'master/elected': 0 } }
      : elsewhere(leadership, path);
  }
  const { context } = leadership.master;
  const query = url.searchParams;
  switch (name) {
    case '/state':
      return { status: 200, body: statePage(context) };
    case '/slaves':
      return { status: 200, body: slavesPage(context, query.get('slave_id')) };
    case '/frameworks':
      return { status: 200, body: frameworksPage(context, query.get('framework_id')) };
    case '/tasks':
      return { status: 200, body: tasksPage(context, query) };
    case '/roles':
      return { status: 200, body: rolesPage(context) };
    case '/metrics/snapshot':
      return { status: 200, body: metricsPage(context) };
    case '/redirect': {
      const { host, port } = context.identity;
      return { status: 307, headers: { Location: `//${host}:${port}` } };
    }
    default:
      return { status: 404 };
  }
}

function elsewhere(leadership: Exclude<Leadership, { kind: 'leading' }>, path: string): Answer {
  if (leadership.kind === 'leaderless') return { status: 503, body: 'No leader elected' };
  const { host, port } = leadership.leader;
  return { status: 307, headers: { Location: `//${host}:${port}${path}` } };
}
