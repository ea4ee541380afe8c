import type { Role } from '../../../src/security/roles.ts';

/** Who may use a route: anybody, the executor of the host that the path names, or users with a role. */
export type Access = 'open' | 'host' | Role;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Unless told: looking takes `read`, anything else `operate`. */
    access?: Access;
  }
  interface FastifyRequest {
    /** The name of the user, where users are known. */
    caller: string | undefined;
    /** Where the request came from: the client's address, also where a scheduler that stands by passed it on. */
    clientAddress: string;
  }
}

/** What a route asks for that does not say so itself. */
export function defaultAccess(method: string): Access {
  // A browser asks by OPTIONS, without credentials, whether it may send a request.
  if (method === 'OPTIONS') return 'open';
  return isLooking(method) ? 'read' : 'operate';
}

/** Whether a request of this method changes nothing. */
export const isLooking = (method: string): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method);
