import type { DevCluster } from '../cluster.ts';
import { BenchApps } from './apps.ts';
import { figure, type Figure } from './figures.ts';
import { loggedStarts, type StartTimings } from './logged-starts.ts';
import { PlainContainers } from './plain-container.ts';

const app = '/bench-starts';
const burstTasks = 50;

const apps = (cluster: DevCluster): BenchApps => new BenchApps(cluster.scheduler?.apiUrl ?? '');

/**
 * Starts of single tasks beside plain containers. The kinds take turns, so that a slow moment of the machine hits
 * all; nothing else starts meanwhile.
 */
export async function measureAttach(cluster: DevCluster, samples: number): Promise<readonly Figure[]> {
  const bench = apps(cluster);
  const plain = new PlainContainers(cluster.substrate.engine);
  const [commands, requests]: [number[], number[]] = [[], []];
  // One task on each host first: the measured ones find their executor there, as most do.
  let instances = cluster.members.length;
  try {
    await bench.scale(app, instances);
    const warm = new Set((await loggedStarts(cluster)).keys());
    for (let i = 0; i < samples; i += 1) {
      commands.push(await plain.byCommand());
      requests.push(await plain.byApi());
      instances += 1;
      await bench.scale(app, instances);
    }
    const starts = [...(await loggedStarts(cluster))].filter(([taskId]) => !warm.has(taskId));
    return startFigures(
      commands,
      requests,
      starts.map(([, timings]) => timings),
    );
  } finally {
    await bench.remove(app);
  }
}

function startFigures(
  commands: readonly number[],
  requests: readonly number[],
  starts: readonly StartTimings[],
): readonly Figure[] {
  const run = figure('attach', 'docker run --network none', 'ms', commands);
  const values = (part: keyof StartTimings) => starts.map((start) => start[part] ?? 0);
  const ours = (what: string, part: keyof StartTimings) => figure('attach', what, 'ms', values(part));
  return [
    run,
    figure('attach', 'the same by create and start of the API', 'ms', requests, { against: run }),
    figure('attach', 'task, from LAUNCH to running', 'ms', values('totalMs'), {
      against: run,
      target: { of: 'ratio', is: 'at most', limit: 1.6 },
    }),
    ours('  sandbox: create and start', 'sandboxMs'),
    figure('attach', '  network: veth, address, port, flows', 'ms', values('attachMs'), {
      target: { of: 'p50', is: 'at most', limit: 30 },
    }),
    ours('  view acknowledged by the other hosts', 'convergeMs'),
    ours('  app: create (beside the sandbox)', 'createMs'),
    ours('  app: start', 'startMs'),
  ];
}

/** Many tasks at once, until all run. */
export async function measureBurst(cluster: DevCluster): Promise<readonly Figure[]> {
  const bench = apps(cluster);
  try {
    await bench.scale(app, cluster.members.length);
    await bench.scale(app, 0);
    const before = new Set((await loggedStarts(cluster)).keys());
    const tookMs = await bench.scale(app, burstTasks);
    const what = `${burstTasks} tasks at once on ${cluster.members.length} hosts, until all run`;
    const starts = [...(await loggedStarts(cluster))].filter(([taskId]) => !before.has(taskId));
    const attached = starts.map(([, { attachMs }]) => attachMs ?? 0);
    return [
      figure('burst', what, 's', [tookMs / 1000]),
      figure('burst', '  network of each: veth, address, port, flows', 'ms', attached),
    ];
  } finally {
    await bench.remove(app);
  }
}
