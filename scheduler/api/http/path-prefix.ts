import type { FastifyInstance, FastifyServerOptions } from 'fastify';

/**
 * Lets the API live below a path: `/service/patchpanel/v2/apps` is answered as `/v2/apps`. Without the prefix paths are
 * answered too, since some proxies take it away, and health checks and executors come without any proxy. Slashes that
 * follow each other are one: clients put paths together from parts that begin or end with one.
 */
export const behindPrefix = (prefix: string): Pick<FastifyServerOptions, 'rewriteUrl'> => ({
  rewriteUrl: ({ url = '/' }) => {
    const single = withSingleSlashes(url);
    return prefix === '' ? single : withoutPrefix(single, prefix);
  },
});

/** `//v2/apps//web?cmd=//x` → `/v2/apps/web?cmd=//x` */
function withSingleSlashes(url: string): string {
  const [path = ''] = url.split('?', 1);
  if (!path.startsWith('/') || !path.includes('//')) return url;
  return path.replaceAll(/\/{2,}/g, '/') + url.slice(path.length);
}

/** `/service/x/ping` → `/ping`; `/service/xy` stays. */
function withoutPrefix(url: string, prefix: string): string {
  if (!url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : url;
}

/** Where an answer points to a path of ours, it is the one that clients of the proxy know. */
export function prefixLocations(server: FastifyInstance, prefix: string): void {
  if (prefix === '') return;
  server.addHook('onSend', async (_request, reply) => {
    const location = reply.getHeader('Location');
    if (typeof location === 'string' && location.startsWith('/')) reply.header('Location', prefix + location);
  });
}
