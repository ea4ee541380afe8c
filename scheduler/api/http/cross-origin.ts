import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** How long a browser may keep an answer to a preflight, seconds: Marathon's. */
const maxAgeSeconds = 86_400;

/** Headers of ours that scripts of another origin may read. */
const readable = [
  'ETag',
  'Location',
  'Marathon-Deployment-Id',
  'X-Marathon-Leader',
  'X-Patchpanel-Ignored-Fields',
  'X-Total-Count',
];

/** Lets pages of these origins (`*`: all) read the API, as Marathon's `--access_control_allow_origin` does. */
export function allowCrossOrigin(server: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  void server.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'OPTIONS'],
    exposedHeaders: readable,
    maxAge: maxAgeSeconds,
    // A plain OPTIONS asks what a path can do.
    strictPreflight: false,
  });
}
