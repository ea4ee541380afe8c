import { PatchpanelError } from '../../runtime/errors.ts';
import type { DevCluster } from '../cluster.ts';
import { Containers } from '../containers.ts';
import { BenchApps, sleeper } from './apps.ts';
import { figure, type Figure } from './figures.ts';
import { SlotEvents } from './slot-events.ts';
import { wirePort } from './wire-figures.ts';
import { startKnocking } from './wire.ts';

const door = '/bench-door';
const client = '/bench-client';
const redeploys = 20;

/** A web server whose instance is on this host. */
const doorOn = (hostname: string, round: number): Record<string, unknown> => ({
  ...sleeper(door, 1),
  cmd: `mkdir -p /tmp/www && echo here > /tmp/www/index.html && exec httpd -f -p ${wirePort} -h /tmp/www`,
  env: { ROUND: String(round) },
  constraints: [['hostname', 'CLUSTER', hostname]],
  healthChecks: [{ protocol: 'MESOS_TCP', port: wirePort, intervalSeconds: 1, delaySeconds: 0 }],
});

/** Redeploys from host to host while a client on a third opens connections all the time. */
export async function measureHandover(cluster: DevCluster): Promise<readonly Figure[]> {
  const apiUrl = cluster.scheduler?.apiUrl ?? '';
  const bench = new BenchApps(apiUrl);
  const [one, other, third] = cluster.members.map(({ host }) => host.plan.hostname);
  if (one === undefined || other === undefined || third === undefined)
    throw new PatchpanelError('invalid', 'a handover is measured on three hosts');
  const events = await SlotEvents.open(apiUrl, door);
  try {
    await bench.deploy('PUT', `/v2/apps${client}`, {
      ...sleeper(client, 1),
      constraints: [['hostname', 'CLUSTER', third]],
    });
    await bench.deploy('PUT', `/v2/apps${door}`, doorOn(one, 0));
    const [from, to] = [await bench.taskOf(client), await bench.taskOf(door)];
    const containers = new Containers(cluster.substrate.engine.client);
    const end = startKnocking(await containers.pid(from.id), to.patchpanel.ip ?? '');
    for (let round = 1; round <= redeploys; round += 1) {
      await bench.deploy('PUT', `/v2/apps${door}`, doorOn(round % 2 === 0 ? one : other, round));
    }
    const { opened, failed } = await end();
    return [
      figure(
        'handover',
        'from ready until every host has flipped',
        'ms',
        spans(events, 'slot_converged_event'),
      ),
      figure('handover', '  of it until the flip', 'ms', spans(events, 'slot_flipped_event')),
      figure('handover', 'connections opened meanwhile', '', [opened]),
      figure('handover', '  of them failed', '', [failed], {
        target: { of: 'p99', is: 'at most', limit: 0 },
      }),
    ];
  } finally {
    events.close();
    await bench.remove(door, client);
  }
}

/** Milliseconds of each handover from `slot_ready_event` to an event of `type`. */
function spans({ seen }: SlotEvents, type: string): readonly number[] {
  const ready = new Map(
    seen.filter((event) => event.type === 'slot_ready_event').map((event) => [event.epoch, event.at]),
  );
  return seen.flatMap((event) => {
    const from = event.type === type ? ready.get(event.epoch) : undefined;
    return from === undefined ? [] : [event.at - from];
  });
}
