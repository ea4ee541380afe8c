import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { ViewVersion } from '../../../src/fabric/view.ts';
import type { HostCounters } from '../../../src/fabric/counters.ts';
import type { HostAnswer } from '../../../src/fabric/path/question.ts';
import type { HostReport } from '../../../src/fabric/view-wire.ts';
import type { AgentId } from '../../../src/model/ids.ts';
import type { ViewSink } from '../../driver/views/host-feed.ts';
import { answerRoute } from './answer.ts';
import { countersRoute } from './counters.ts';
import { bundleRoutes, type BundleFiles } from './bundle.ts';
import { reportRoute } from './report.ts';
import { viewRoute } from './view.ts';

/** What the routes for executors need of the scheduler. */
export interface HostRouteDeps {
  readonly expectsHost: (host: AgentId) => boolean;
  /** Resolves when the facts are durable. */
  readonly report: (host: AgentId, report: HostReport) => Promise<void>;
  readonly counted: (host: AgentId, counters: HostCounters) => void;
  /** False: nobody waits for it. */
  readonly answered: (host: AgentId, answer: HostAnswer) => boolean;
  /** The result is called when the connection is gone. */
  readonly connectView: (host: AgentId, have: ViewVersion | undefined, sink: ViewSink) => () => void;
  readonly bundle: BundleFiles;
}

/** What executors and the Mesos fetcher ask for: reports, view streams, the executor's tarball. */
export const hostRoutes =
  (deps: HostRouteDeps): FastifyPluginAsync =>
  async (server: FastifyInstance) => {
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    reportRoute(server, deps);
    answerRoute(server, deps);
    countersRoute(server, deps);
    viewRoute(server, deps);
    bundleRoutes(server, deps.bundle);
  };
