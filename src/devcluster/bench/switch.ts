import path from 'node:path';
import { PatchpanelError } from '../../runtime/errors.ts';
import { run, tryRun } from '../../runtime/process.ts';
import type { DevCluster } from '../cluster.ts';
import { projectRoot } from '../project.ts';
import { figure, type Figure } from './figures.ts';
import { switchFiguresSchema, type SwitchSpec } from './switch-figures.ts';

const timeoutMs = 300_000;
const bridge = 'br-patchpanel';
const counts = { alone: 30, atOnce: 200, resyncs: 10, addresses: 3_300 } as const;

/**
 * The network side of an executor without tasks: namespaces that are plugged in, one by one and many at once, and flows
 * that are written anew. It needs a host that no executor is on yet.
 */
export async function measureSwitch(cluster: DevCluster): Promise<readonly Figure[]> {
  const member = cluster.members.at(-1);
  if (member === undefined) throw new PatchpanelError('invalid', 'the switch is measured on a host');
  const { host } = member;
  const spec: SwitchSpec = {
    ovsRunDir: host.ovsRunDir,
    stateDir: path.join(host.directory, 'bench-switch'),
    hostname: host.plan.hostname,
    underlayIp: host.plan.underlayIp,
    ...counts,
  };
  const program = path.join(projectRoot(), 'dist', 'bench-switch.js');
  try {
    const output = await run(process.execPath, [program, JSON.stringify(spec)], {
      netns: host.plan.netns,
      timeoutMs,
    });
    const { alone, atOnce, resyncs, flows } = switchFiguresSchema.parse(JSON.parse(output));
    return [
      figure('switch', 'attach alone: veth, address, port, flows', 'ms', alone, {
        target: { of: 'p50', is: 'at most', limit: 30 },
      }),
      figure(
        'switch',
        `attach, ${counts.atOnce} at once: from the first request until each is done`,
        'ms',
        atOnce,
      ),
      figure('switch', `  until all ${counts.atOnce} are done`, 'ms', [Math.max(...atOnce)]),
      figure('switch', `resync: all flows compiled into one replacement`, 'ms', resyncs),
      figure('switch', '  flows of it', 'flows', [flows]),
    ];
  } finally {
    const database = `--db=unix:${host.ovsRunDir}/db.sock`;
    await tryRun('ovs-vsctl', ['--timeout=10', database, '--if-exists', 'del-br', bridge]);
  }
}
