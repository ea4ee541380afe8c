import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { agentId } from '../../../src/model/ids.ts';
import { roleAllows, type Role } from '../../../src/security/roles.ts';
import type { User } from '../../../src/security/user-file.ts';
import { HttpProblem } from '../problems.ts';
import { defaultAccess, isLooking, type Access } from './access.ts';
import type { AuditLog } from './audit.ts';
import { clientHeader, vouchedAddress } from './client-address.ts';
import { parseAuthorization, type ApiCredentials } from './credentials.ts';
import type { HostTokens } from './host-tokens.ts';

/** Knows users by their credentials. */
export interface Authenticator {
  /** Whose credentials these are; undefined when nobody's. */
  authenticate(credentials: ApiCredentials): Promise<User | undefined>;
}

/** Who may use the API, how often, and where it is written down. */
export interface Security {
  /** Without users everybody may do everything but speak for a host. */
  readonly users: Authenticator | undefined;
  readonly hostTokens: HostTokens;
  readonly audit: AuditLog;
  /** Requests a second that one address may make; 0: any number. Executors are not counted. */
  readonly requestsPerSecond: number;
  /** By which other schedulers vouch for the clients whose requests they pass on; absent: there are no others. */
  readonly forwardKey?: string;
}

/** Wrong passwords and tokens that one address may try for one name in a minute. */
const failuresPerMinute = 20;

/** Checks every request before anything else is done for it, and writes down those that change something. */
export function guard(server: FastifyInstance, security: Security): void {
  const gate = new Gate(security);
  server.decorateRequest('caller');
  server.decorateRequest('clientAddress', '');
  server.addHook('onRequest', async (request, reply) => {
    request.clientAddress = addressOf(request, security.forwardKey);
    return gate.check(request, reply);
  });
  server.addHook('onResponse', (request, reply, done) => {
    if (!isLooking(request.method) && accessOf(request) !== 'host') {
      security.audit.write(entryOf(request, reply));
    }
    done();
  });
}

class Gate {
  readonly #security: Security;
  readonly #requests: RateLimiterMemory | undefined;
  readonly #failures = new RateLimiterMemory({ points: failuresPerMinute, duration: 60 });

  constructor(security: Security) {
    this.#security = security;
    const { requestsPerSecond: points } = security;
    this.#requests = points === 0 ? undefined : new RateLimiterMemory({ points, duration: 1 });
  }

  /** @throws HttpProblem 401, 403, 429 */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const access = accessOf(request);
    if (access === 'open') return;
    const credentials = parseAuthorization(request.headers.authorization);
    if (access === 'host') return this.#checkHost(request, credentials);
    await limited(this.#requests, request.clientAddress, reply, 'too many requests');
    const { users } = this.#security;
    if (users !== undefined) await this.#checkUser(users, access, credentials, request, reply);
  }

  #checkHost(request: FastifyRequest, credentials: ApiCredentials | undefined): void {
    const { agentId: host = '' } = request.params as { agentId?: string };
    const token = credentials?.kind === 'bearer' ? credentials.token : '';
    if (this.#security.hostTokens.accepts(agentId(host), token)) return;
    throw new HttpProblem(401, `the token is not the one of the executor on ${host}`);
  }

  async #checkUser(
    users: Authenticator,
    needs: Role,
    credentials: ApiCredentials | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    if (credentials === undefined)
      throw unauthenticated(reply, 'this needs a user name and password, or a token');
    const name = credentials.kind === 'basic' ? credentials.name : '';
    const key = `${request.clientAddress} ${name}`;
    if (((await this.#failures.get(key))?.remainingPoints ?? 1) <= 0) {
      await limited(this.#failures, key, reply, 'too many wrong passwords or tokens');
    }
    const user = await users.authenticate(credentials);
    if (user === undefined) {
      await limited(this.#failures, key, reply, 'too many wrong passwords or tokens');
      throw unauthenticated(reply, 'user name and password, or token, are wrong');
    }
    request.caller = user.name;
    if (!roleAllows(user.role, needs)) {
      throw new HttpProblem(403, `${user.name} has the role ${user.role}; this needs ${needs}`);
    }
  }
}

/** Takes a point. @throws HttpProblem 429 that says when to come again */
async function limited(
  limiter: RateLimiterMemory | undefined,
  key: string,
  reply: FastifyReply,
  message: string,
): Promise<void> {
  try {
    await limiter?.consume(key);
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    reply.header('Retry-After', Math.ceil(error.msBeforeNext / 1000));
    throw new HttpProblem(429, message);
  }
}

function unauthenticated(reply: FastifyReply, message: string): HttpProblem {
  reply.header('WWW-Authenticate', 'Basic realm="patchpanel", charset="UTF-8", Bearer realm="patchpanel"');
  return new HttpProblem(401, message);
}

const addressOf = (request: FastifyRequest, key: string | undefined): string =>
  (key === undefined ? undefined : vouchedAddress(request.headers[clientHeader], key)) ?? request.ip;

const accessOf = (request: FastifyRequest): Access =>
  request.routeOptions.config.access ?? defaultAccess(request.method);

function entryOf(request: FastifyRequest, reply: FastifyReply): Parameters<AuditLog['write']>[0] {
  const deployment = reply.getHeader('Marathon-Deployment-Id');
  return {
    who: request.caller ?? '-',
    from: request.clientAddress,
    method: request.method,
    url: request.url,
    status: reply.statusCode,
    ...(typeof deployment === 'string' ? { deployment } : {}),
  };
}
