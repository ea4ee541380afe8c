import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { codeOf } from '../../../src/runtime/errors.ts';

/** The folder that holds the executor's tarballs: this build's and the one before, which may still be asked for. */
export interface BundleFiles {
  readonly directory: string;
}

/** Names carry the hash of the content, so a file never changes. */
const fileName = /^patchpanel-executor-[0-9a-f]{8,64}\.tar\.gz$/;

/** GET and HEAD /executor/:file for the Mesos fetcher. */
export function bundleRoutes(server: FastifyInstance, bundle: BundleFiles): void {
  server.route<{ Params: { file: string } }>({
    method: ['GET', 'HEAD'],
    url: '/executor/:file',
    // The Mesos fetcher has no credentials, and there is nothing secret in it.
    config: { access: 'open' },
    handler: async (request, reply) => {
      const path = join(bundle.directory, request.params.file);
      const size = fileName.test(request.params.file) ? await sizeOf(path) : undefined;
      if (size === undefined) {
        return reply.code(404).send({ message: `there is no executor bundle ${request.params.file}` });
      }
      immutable(reply).headers({ 'Content-Type': 'application/gzip', 'Content-Length': size });
      return request.method === 'HEAD' ? reply.send() : reply.send(createReadStream(path));
    },
  });
}

function immutable(reply: FastifyReply): FastifyReply {
  reply.removeHeader('Pragma').removeHeader('Expires');
  return reply.header('Cache-Control', 'public, max-age=31536000, immutable');
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
