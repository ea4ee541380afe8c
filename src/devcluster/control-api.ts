import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { codeOf, messageOf } from '../runtime/errors.ts';
import type { ClusterControls } from './controls.ts';

const hostParams = z.object({ host: z.string().min(1) });
const cutBody = z.object({ what: z.enum(['management', 'all']).default('management') });

/** A path below /v1/hosts/:host/ and what it does. */
type HostAction = (controls: ClusterControls, host: string, body: unknown) => Promise<unknown>;

const hostActions: Readonly<Record<string, HostAction>> = {
  cut: (controls, host, body) => controls.cut(host, cutBody.parse(body ?? {}).what),
  heal: (controls, host) => controls.heal(host),
  stop: (controls, host) => controls.stopHost(host),
  start: (controls, host) => controls.startHost(host),
  'kill-executor': async (controls, host) => ({ killed: await controls.killExecutor(host) }),
  'restart-switch': (controls, host) => controls.restartSwitch(host),
  'stop-agent': (controls, host) => controls.stopAgent(host),
  'start-agent': (controls, host) => controls.startAgent(host),
};

type ClusterAction = (controls: ClusterControls) => Promise<unknown>;

const clusterActions: Readonly<Record<string, ClusterAction>> = {
  failover: (controls) => controls.failover(),
  'kill-scheduler': (controls) => controls.killScheduler(),
  'restart-scheduler': (controls) => controls.restartScheduler(),
};

/**
 * The controls over HTTP, not yet listening: `GET /v1/status`, `POST /v1/hosts/:host/<action>`, `POST /v1/<action>`.
 * Each answer is JSON; an error is `{"message": …}` with 400, 404, 409 or 500.
 */
export function controlApi(controls: ClusterControls): FastifyInstance {
  const server = Fastify({ logger: false, bodyLimit: 64 * 1024, forceCloseConnections: true });
  server.setErrorHandler((error, _request, reply) => {
    void reply
      .code(statusOf(error))
      .send({ message: error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error) });
  });
  server.get('/v1/status', () => controls.status());
  for (const [name, action] of Object.entries(hostActions)) {
    server.post(`/v1/hosts/:host/${name}`, async (request) => {
      const { host } = hostParams.parse(request.params);
      return (await action(controls, host, request.body)) ?? {};
    });
  }
  for (const [name, action] of Object.entries(clusterActions))
    server.post(`/v1/${name}`, async () => (await action(controls)) ?? {});
  return server;
}

const statuses: Readonly<Record<string, number>> = { invalid: 400, 'not-found': 404, conflict: 409 };

function statusOf(error: unknown): number {
  if (error instanceof z.ZodError) return 400;
  const known = statuses[codeOf(error) ?? ''];
  if (known !== undefined) return known;
  if (error !== null && typeof error === 'object' && 'statusCode' in error) return Number(error.statusCode);
  return 500;
}
