import { PatchpanelError } from '../../runtime/errors.ts';
import type { DevCluster } from '../cluster.ts';
import { Containers } from '../containers.ts';
import type { Member } from '../member.ts';
import { BenchApps, sleeper } from './apps.ts';
import { figure, type Figure } from './figures.ts';
import { PlainSwitch, type PlainSeat } from './plain-switch.ts';
import type { WireFigures } from './wire-figures.ts';
import { measureWire, WireServer } from './wire.ts';

/** Runs of each kind; they take turns, so that a slow moment of the machine hits both. */
const rounds = 5;
/** Underlay of the cluster minus what VXLAN adds: what the containers have. */
const mtu = 1450;
const leastShare = 0.9;

type Seat = PlainSeat;

/** Who sends, who answers on the same host, who on another one. */
interface Seats {
  readonly from: Seat;
  readonly near: Seat;
  readonly far: Seat;
}

/** One TCP connection between containers, on our switch and on a plain learning one of the same datapath. */
export async function measureTraffic(cluster: DevCluster): Promise<readonly Figure[]> {
  const [one, other] = cluster.members;
  if (one === undefined || other === undefined)
    throw new PatchpanelError('invalid', 'traffic is measured between two hosts');
  const bench = new BenchApps(cluster.scheduler?.apiUrl ?? '');
  const servers: WireServer[] = [];
  const plain = await PlainSwitch.create(cluster, [one, other], mtu);
  try {
    const places = { from: one, near: one, far: other };
    const [ours, theirs] = [await appSeats(cluster, bench, places), await plainSeats(plain, places)];
    for (const { near, far } of [ours, theirs]) {
      servers.push(await WireServer.start(near.pid), await WireServer.start(far.pid));
    }
    return [
      ...(await compare('on one host', ours, theirs, 'near')),
      ...(await compare('between hosts', ours, theirs, 'far')),
    ];
  } finally {
    for (const server of servers) await server.close();
    await plain.close();
    await bench.remove(...['from', 'near', 'far'].map((name) => `/bench-wire-${name}`));
  }
}

async function compare(
  where: string,
  ours: Seats,
  theirs: Seats,
  to: 'near' | 'far',
): Promise<readonly Figure[]> {
  const [plainRuns, ourRuns]: [WireFigures[], WireFigures[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    plainRuns.push(await measureWire(theirs.from.pid, theirs[to].ip));
    ourRuns.push(await measureWire(ours.from.pid, ours[to].ip));
  }
  const plainSpeed = speed(`plain switch, ${where}: TCP`, plainRuns);
  const plainTime = roundTrip(`plain switch, ${where}: round trip`, plainRuns);
  const target = { of: 'ratio', is: 'at least', limit: leastShare } as const;
  return [
    plainSpeed,
    speed(`our switch, ${where}: TCP`, ourRuns, { against: plainSpeed, target }),
    plainTime,
    roundTrip(`our switch, ${where}: round trip`, ourRuns, { against: plainTime }),
  ];
}

const speed = (what: string, runs: readonly WireFigures[], held?: Parameters<typeof figure>[4]): Figure =>
  figure(
    'traffic',
    what,
    'Mbit/s',
    runs.map(({ mbits }) => mbits),
    held,
  );

const roundTrip = (what: string, runs: readonly WireFigures[], held?: Parameters<typeof figure>[4]): Figure =>
  figure(
    'traffic',
    what,
    'µs',
    runs.flatMap(({ roundTripUs }) => roundTripUs),
    held,
  );

/** One app a seat, each pinned to its host. */
async function appSeats(
  cluster: DevCluster,
  bench: BenchApps,
  places: Readonly<Record<keyof Seats, Member>>,
): Promise<Seats> {
  const containers = new Containers(cluster.substrate.engine.client);
  const seat = async (name: keyof Seats): Promise<Seat> => {
    const id = `/bench-wire-${name}`;
    const constraints = [['hostname', 'CLUSTER', places[name].host.plan.hostname]];
    await bench.deploy('PUT', `/v2/apps${id}`, { ...sleeper(id, 1), constraints });
    const task = await bench.taskOf(id);
    return { pid: await containers.pid(task.id), ip: task.patchpanel.ip ?? '' };
  };
  return { from: await seat('from'), near: await seat('near'), far: await seat('far') };
}

const plainSeats = async (
  plain: PlainSwitch,
  places: Readonly<Record<keyof Seats, Member>>,
): Promise<Seats> => ({
  from: await plain.seat(places.from),
  near: await plain.seat(places.near),
  far: await plain.seat(places.far),
});
