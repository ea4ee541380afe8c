import { once } from 'node:events';
import { globalAgent } from 'node:http';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { ViewClient } from '../../executor/adapters/views/view-client.ts';
import { FlowCompiler } from '../fabric/flow-compiler.ts';
import { endpointsOn } from '../fabric/own-endpoints.ts';
import { endpointKey, type View } from '../fabric/view.ts';
import { agentId, executorId, type AgentId } from '../model/ids.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLogger } from '../runtime/logger.ts';

/**
 * Many hosts in one process, without Docker and Open vSwitch: each follows its view over HTTP with the executor's own
 * client, compiles its flows with the executor's own compiler and acknowledges. The first line of its input says which;
 * it ends with its input.
 */
const specSchema = z.object({
  url: z.string(),
  hosts: z.array(z.object({ id: z.string(), underlayIp: z.string() })),
});
const log = createLogger('bench-hosts', 'error');
// Each host would be a process of its own and keep its connection.
globalAgent.maxFreeSockets = Number.POSITIVE_INFINITY;

function newClient(url: string, agent: AgentId, underlayIp: string): ViewClient {
  const compiler = new FlowCompiler();
  const client: ViewClient = new ViewClient({
    facts: {
      agentId: agent,
      executorId: executorId('bench'),
      hostname: agent,
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
    fixedUrl: url,
    access: () => undefined,
    lastView: undefined,
    onView: (view) => {
      compiler.update(view, { agentId: agent, round: 1, tunnelOfport: 1, ofports: portsOf(view, agent) });
      client.report(view.version, undefined);
    },
    onConverged: () => undefined,
    onQuestion: (question) => Promise.resolve({ id: question.id, kind: 'problem', problem: 'no switch' }),
    onRefused: (problem) => problem !== undefined && log.error('a view was refused', { problem }),
    onLeader: () => undefined,
  });
  return client;
}

const portsOf = (view: View, agent: AgentId): ReadonlyMap<string, number> =>
  new Map(endpointsOn(view, agent).map((each, i) => [endpointKey(each), 32_768 + i]));

const input = createInterface({ input: process.stdin });
input.on('close', () => process.exit(0));
const [line] = (await once(input, 'line')) as [string];
const { url, hosts } = specSchema.parse(JSON.parse(line));
for (const { id, underlayIp } of hosts) newClient(url, agentId(id), underlayIp).start();
