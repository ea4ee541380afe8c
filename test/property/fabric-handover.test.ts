import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compile } from '../../src/fabric/compile.ts';
import { hostView } from '../../src/fabric/host-view.ts';
import { table } from '../../src/fabric/tables.ts';
import { endpointKey } from '../../src/fabric/view.ts';
import type { EndpointState, View, ViewEndpoint, ViewHost } from '../../src/fabric/view.ts';
import { hosts as allHosts } from '../support/fabric-arbitraries.ts';
import { frameOf } from '../support/fabric-pipeline.ts';
import type { Frame } from '../support/fabric-pipeline.ts';
import { ack, Fabric, ipFrame, syn, tcp, udp } from '../support/fabric-switches.ts';
import { endpoint, network, switchOf, view } from '../support/fabric-views.ts';

const red = network('red', 7, '10.1.0.0/24');
const hosts = allHosts.slice(0, 3);
/** Served ports, one in each part of the port space. */
const servedPorts = [80, 40_000, 50_051];
const ports = servedPorts.map((number) => ({ number, protocol: 'tcp' as const }));

const incarnation = (
  epoch: number,
  host: ViewHost,
  state: EndpointState,
  keepsConnections = false,
): ViewEndpoint =>
  endpoint({
    app: '/web',
    epoch,
    network: red,
    host,
    ip: '10.1.0.50',
    state,
    ports,
    keepsConnections,
  });

/** One client on each host. */
const clients = hosts.map((host, index) =>
  endpoint({ app: '/client', index, network: red, host, ip: `10.1.0.${10 + index}` }),
);

const viewOf = (old: ViewEndpoint, fresh: ViewEndpoint): View => view(hosts, [red], [...clients, old, fresh]);

/** The views of a handover, one after the other. */
function stages(
  oldHost: ViewHost,
  freshHost: ViewHost,
  oldEpoch: number,
  mode: 'drain' | 'swap' = 'drain',
): readonly [View, View, View] {
  const old = (state: EndpointState) =>
    incarnation(oldEpoch, oldHost, state, state === 'draining' && mode === 'drain');
  const fresh = (state: EndpointState) => incarnation(oldEpoch + 1, freshHost, state);
  return [
    viewOf(old('active'), fresh('standby')),
    viewOf(old('active'), fresh('anchored')),
    viewOf(old('draining'), fresh('active')),
  ];
}

const actionArb = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), host: fc.constantFrom(...hosts) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('connect' as const),
      client: fc.constantFrom(...clients),
      port: fc.constantFrom(...servedPorts),
    }),
  },
);

const caseArb = fc.record({
  oldHost: fc.constantFrom(...hosts),
  freshHost: fc.constantFrom(...hosts),
  oldEpoch: fc.integer({ min: 1, max: 5 }),
  actions: fc.array(actionArb, { minLength: 1, maxLength: 20 }),
});

const modeArb = fc.constantFrom('drain' as const, 'swap' as const);
const stepsArb = fc.array(fc.constantFrom(...hosts));

interface Connection {
  readonly client: ViewEndpoint;
  readonly frame: Frame;
  readonly port: number;
  /** Where its SYN went. */
  readonly side: string;
  /** Every host sent SYNs past the switch that decides. */
  readonly anchored: boolean;
}

/** A fabric whose hosts take the stages one by one, each in its own time. No host flips before all are anchored. */
class Handover {
  readonly fabric: Fabric;
  readonly sides: readonly [ViewEndpoint, ViewEndpoint];
  readonly #stages: readonly View[];
  readonly #stageOf = new Map(hosts.map(({ id }) => [id, 0]));

  constructor(stagesOfIt: readonly [View, View, View]) {
    this.#stages = stagesOfIt;
    this.fabric = new Fabric(stagesOfIt[0]);
    const [old, fresh] = stagesOfIt[0].endpoints.slice(-2);
    if (old === undefined || fresh === undefined) throw new Error('a handover has two sides');
    this.sides = [old, fresh];
  }

  advance(host: ViewHost): void {
    const next = (this.#stageOf.get(host.id) ?? 0) + 1;
    const stage = this.#stages[next];
    if (stage === undefined || (next === 2 && this.behind(1))) return;
    this.#stageOf.set(host.id, next);
    this.fabric.update(host.id, stage);
  }

  /** Whether a host has not reached the stage. */
  behind(number: number): boolean {
    return [...this.#stageOf.values()].some((each) => each < number);
  }

  has(host: ViewHost, number: number): boolean {
    return this.#stageOf.get(host.id) === number;
  }
}

test('through a handover, in whatever order the hosts take its steps, each connection stays with the one that its first SYN reached', () => {
  fc.assert(
    fc.property(caseArb, ({ oldHost, freshHost, oldEpoch, actions }) => {
      const handover = new Handover(stages(oldHost, freshHost, oldEpoch));
      const [oldKey, freshKey] = handover.sides.map(endpointKey);
      const connections: Connection[] = [];
      let nextPort = 33_000;
      for (const action of actions) {
        if (action.kind === 'advance') {
          handover.advance(action.host);
        } else {
          const { client, port } = action;
          const frame = { ...ipFrame(client, handover.sides[0]), ...frameOf({ tp_src: (nextPort += 1) }) };
          const side = handover.fabric.send(client, tcp(frame, port, syn));
          // One switch decides, and it has either flipped or not.
          expect(side).toBe(handover.has(freshHost, 2) ? freshKey : oldKey);
          connections.push({ client, frame, port, side, anchored: !handover.behind(1) });
        }
        for (const { client, frame, port, side, anchored } of connections) {
          // Its answer was lost.
          if (anchored) expect(handover.fabric.send(client, tcp(frame, port, syn))).toBe(side);
          expect(handover.fabric.send(client, tcp(frame, port, ack))).toBe(side);
        }
      }
    }),
    { numRuns: 400 },
  );
});

test('through a swap, in whatever order the hosts take its steps, the switch of the new one turns everything at once and no frame is lost', () => {
  fc.assert(
    fc.property(caseArb, ({ oldHost, freshHost, oldEpoch, actions }) => {
      const handover = new Handover(stages(oldHost, freshHost, oldEpoch, 'swap'));
      const [oldKey, freshKey] = handover.sides.map(endpointKey);
      for (const action of actions) {
        if (action.kind === 'advance') {
          handover.advance(action.host);
          continue;
        }
        const { client, port } = action;
        const frame = ipFrame(client, handover.sides[0]);
        const owner = handover.has(freshHost, 2) ? freshKey : oldKey;
        for (const flags of [syn, ack]) {
          expect(handover.fabric.send(client, tcp(frame, port, flags))).toBe(owner);
        }
        expect([oldKey, freshKey]).toContain(handover.fabric.send(client, frame));
      }
    }),
    { numRuns: 400 },
  );
});

test('replies to what either side opened reach it, and what has no connection reaches one of them', () => {
  fc.assert(
    fc.property(caseArb, modeArb, stepsArb, ({ oldHost, freshHost, oldEpoch }, mode, steps) => {
      const handover = new Handover(stages(oldHost, freshHost, oldEpoch, mode));
      for (const host of steps) handover.advance(host);
      const keys = handover.sides.map(endpointKey);
      for (const client of clients) {
        for (const side of handover.sides) {
          const reply = side.epoch % 2 === 0 ? 35_000 : 51_000;
          const frame = { ...ipFrame(client, side), ...frameOf({ tp_src: 5432 }) };
          expect(handover.fabric.send(client, tcp(frame, reply, syn | ack))).toBe(endpointKey(side));
          expect(handover.fabric.send(client, tcp(frame, reply, ack))).toBe(endpointKey(side));
          expect(handover.fabric.send(client, udp(frame, reply))).toBe(endpointKey(side));
          expect(keys).toContain(handover.fabric.send(client, ipFrame(client, side)));
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('no handover looks at what an earlier one tracked: each has a zone of its own', () => {
  const zonesOf = (oldEpoch: number): Set<string> => {
    const [, , flipped] = stages(hosts[0]!, hosts[0]!, oldEpoch);
    const flows = compile(hostView(flipped, hosts[0]!.id), switchOf(flipped, hosts[0]!.id));
    return new Set(flows.flatMap(({ actions }) => /zone=(\d+)/.exec(actions)?.[1] ?? []));
  };
  const seen = new Set<string>();
  for (let epoch = 1; epoch <= 100; epoch += 1) {
    const zones = [...zonesOf(epoch)];
    expect(zones).toHaveLength(1);
    expect(Number(zones[0])).toBeGreaterThan(0);
    expect(Number(zones[0])).toBeLessThan(2 ** 16);
    expect(seen.has(zones[0]!)).toBe(false);
    seen.add(zones[0]!);
  }
});

test('the steps of a handover change what is done with connections, not what is looked at', () => {
  fc.assert(
    fc.property(caseArb, ({ oldHost, freshHost, oldEpoch }) => {
      // Registers are no part of what a datapath remembers a frame by.
      const matches = stages(oldHost, freshHost, oldEpoch).map((stage) => {
        const flows = compile(hostView(stage, freshHost.id), switchOf(stage, freshHost.id));
        const looking = flows.filter((flow) => flow.table === table.connections);
        return new Set(
          looking.map(({ priority, match }) => `${priority} ${match.replace(/,reg1=[^,]+/, '')}`),
        );
      });
      expect(matches[0]?.size).toBeGreaterThan(0);
      expect(matches[1]).toEqual(matches[0]);
      expect(matches[2]).toEqual(matches[0]);
    }),
  );
});
