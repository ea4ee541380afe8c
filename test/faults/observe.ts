import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { viewCodec } from '../../executor/adapters/views/view-codec.ts';
import { gatewayWish } from '../../executor/core/fabric/gateway-legs.ts';
import type { AppInfo, HostInfo, TaskInfo } from '../../src/cli/api-types.ts';
import type { Member } from '../../src/devcluster/member.ts';
import { compile } from '../../src/fabric/compile.ts';
import { flowsText } from '../../src/fabric/flow.ts';
import { recordFromWire } from '../../src/fabric/view-wire.ts';
import type { View } from '../../src/fabric/view.ts';
import { run, tryRun } from '../../src/runtime/process.ts';
import type { ClusterBench } from '../support/cluster-bench.ts';
import type { Observation, SeenContainer, SeenHost, SeenTask } from './invariants.ts';
import type { AppConfig } from './writes.ts';

const bridge = 'br-patchpanel';

/** What the API says of the apps. */
export async function lookAtApps(bench: ClusterBench): Promise<ReadonlyMap<string, AppConfig>> {
  const { apps } = await bench.api.get<{ apps: AppInfo[] }>('/v2/apps');
  return new Map(apps.map(({ id, instances, env }) => [id, { instances, round: env?.['ROUND'] ?? '0' }]));
}

/**
 * A picture of the cluster without its hosts' switches, which cost more to look at.
 * @param leases the address that each slot had first
 */
export async function lookAtTasks(
  bench: ClusterBench,
  leases: ReadonlyMap<string, string>,
): Promise<Observation> {
  const { apps } = await bench.api.get<{ apps: AppInfo[] }>('/v2/apps');
  const { tasks } = await bench.api.get<{ tasks: (TaskInfo & { slaveId: string })[] }>('/v2/tasks');
  const deployments = await bench.api.get<unknown[]>('/v2/deployments');
  const { agents } = bench.cluster.mesos.state();
  return {
    apps,
    deployments: deployments.length,
    tasks: tasks.map(seenTask),
    mesosTasks: agents.flatMap(({ executors }) => executors.flatMap((executor) => executor.tasks)),
    containers: await lookAtContainers(bench),
    hosts: [],
    leases,
  };
}

/** The switches of all hosts, and what the API says of them. */
export async function lookAtHosts(bench: ClusterBench): Promise<readonly SeenHost[]> {
  const { hosts } = await bench.api.get<{ hosts: HostInfo[] }>('/v1/hosts');
  const { agents } = bench.cluster.mesos.state();
  return Promise.all(
    bench.cluster.members.map(async (member): Promise<SeenHost> => {
      const { name } = member.host.plan;
      const known = hosts.find(({ agentId }) => agentId === member.agentId);
      const agent = agents.find(({ agentId }) => agentId === member.agentId);
      const executors = agent?.executors.length ?? 0;
      return {
        name,
        agentId: member.agentId,
        executors,
        ports: await bench.endpointPorts(name),
        veths: await bench.veths(name),
        // Without an executor nobody keeps the switch as it should be; the next one puts it right.
        flowDifference: executors === 0 ? '' : await flowDifference(member),
        stream: known?.view,
      };
    }),
  );
}

async function lookAtContainers(bench: ClusterBench): Promise<readonly SeenContainer[]> {
  const { client } = bench.cluster.substrate.engine;
  const listed = await client.listContainers({ all: true, filters: { label: ['patchpanel.role'] } });
  return listed.map(({ Labels, State }) => ({
    agentId: Labels['patchpanel.agent'] ?? '',
    taskId: Labels['patchpanel.task'] ?? '',
    role: Labels['patchpanel.role'] ?? '',
    running: State === 'running',
  }));
}

const seenTask = ({ id, appId, state, slaveId, patchpanel }: TaskInfo & { slaveId: string }): SeenTask => ({
  id,
  appId,
  state,
  agentId: slaveId,
  slot: patchpanel.slot,
  endpoint: patchpanel.endpoint,
  ...(patchpanel.ip === undefined ? {} : { ip: patchpanel.ip }),
  ...(patchpanel.mac === undefined ? {} : { mac: patchpanel.mac }),
});

/**
 * How the flows of a host's switch differ from what the last view that the host took compiles to, in the words of
 * `ovs-ofctl diff-flows`.
 */
export async function flowDifference({ agentId, host }: Member): Promise<string> {
  const { ovsRunDir, executorStateDir } = host;
  const database = `--db=unix:${ovsRunDir}/db.sock`;
  const view = await viewOf(executorStateDir);
  if (view === undefined) return 'no view was kept';
  const ids = await tryRun('ovs-vsctl', [database, '--no-wait', 'get', 'Bridge', bridge, 'external_ids']);
  const columns = ['--format=json', '--columns=name,ofport_request,external_ids', 'list', 'Interface'];
  const rows = JSON.parse(await run('ovs-vsctl', [database, '--no-wait', ...columns])) as {
    data: [string, unknown, ['map', [string, string][]]][];
  };
  const ofports = new Map<string, number>();
  const byName = new Map<string, number>();
  for (const [name, ofport, [, entries]] of rows.data) {
    if (typeof ofport !== 'number') continue;
    byName.set(name, ofport);
    const own = new Map(entries);
    if (own.has('patchpanel-slot'))
      ofports.set(`${own.get('patchpanel-slot')}@${own.get('patchpanel-epoch')}`, ofport);
  }
  const round = Number(/patchpanel-round="?(\d+)/.exec(ids.stdout)?.[1] ?? 0);
  const { legs } = gatewayWish(view, { ...host.plan, id: agentId });
  const gatewayOfports = new Map(
    legs.flatMap(({ network, device }) => {
      const ofport = byName.get(device);
      return ofport === undefined ? [] : [[network, ofport] as const];
    }),
  );
  const flows = compile(view, { agentId, round, tunnelOfport: 1, gatewayOfports, ofports });
  // It takes a regular file only.
  const file = path.join(host.directory, 'expected.flows');
  await writeFile(file, flowsText(flows));
  const { exitCode, stdout, stderr } = await tryRun('ovs-ofctl', [
    '-O',
    // Only from 1.5 on does a switch give a set_field of a part of a field back in the words in which it was told.
    'OpenFlow15',
    'diff-flows',
    `unix:${ovsRunDir}/${bridge}.mgmt`,
    file,
  ]);
  return exitCode === 0 ? '' : `${stdout}${stderr}`.trim();
}

/** What the executor keeps of its view on disk. */
async function viewOf(stateDir: string): Promise<View | undefined> {
  const text = await readFile(path.join(stateDir, 'view.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { content } = JSON.parse(text) as { content: unknown };
  const bytes = Buffer.from(JSON.stringify(content));
  const record = recordFromWire(viewCodec.decode('ViewRecord', bytes, 'json'));
  return record.kind === 'snapshot' ? record.view : undefined;
}
