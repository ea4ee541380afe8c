import { z } from 'zod';
import { ViewClient } from '../../executor/adapters/views/view-client.ts';
import { FlowCompiler } from '../fabric/flow-compiler.ts';
import { endpointKey, type View } from '../fabric/view.ts';
import { agentId, executorId } from '../model/ids.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logger.ts';

/**
 * Many hosts in one process, without Docker and Open vSwitch: each follows its view over HTTP with the executor's own
 * client, compiles its flows with the executor's own compiler and acknowledges. It ends with its input.
 */
const spec = z
  .object({ url: z.string(), hosts: z.array(z.object({ id: z.string(), underlayIp: z.string() })) })
  .parse(JSON.parse(process.argv[2] ?? '{}'));
const log = createLogger('bench-hosts', 'error');

const clients = spec.hosts.map(({ id, underlayIp }) => {
  const agent = agentId(id);
  const compiler = new FlowCompiler();
  const client: ViewClient = new ViewClient({
    facts: {
      agentId: agent,
      executorId: executorId('bench'),
      hostname: id,
      underlayIp,
      underlayMtu: 1_500,
      datapath: 'netdev',
      ovsVersion: 'none',
      dockerVersion: 'none',
    },
    clock: systemClock,
    random: Math.random,
    log,
    leader: {},
    fixedUrl: spec.url,
    access: () => undefined,
    lastView: undefined,
    onView: (view) => {
      compiler.update(view, { agentId: agent, round: 1, tunnelOfport: 1, ofports: portsOf(view, id) });
      client.report(view.version, undefined);
    },
    onConverged: () => undefined,
    onQuestion: (question) => Promise.resolve({ id: question.id, kind: 'problem', problem: 'no switch' }),
    onRefused: (problem) => problem !== undefined && log.error('a view was refused', { problem }),
    onLeader: () => undefined,
  });
  return client;
});

const portsOf = (view: View, id: string): ReadonlyMap<string, number> =>
  new Map(view.endpoints.filter(({ host }) => host === id).map((each, i) => [endpointKey(each), 32_768 + i]));

for (const client of clients) client.start();
process.stdin.on('end', () => process.exit(0)).resume();
