import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { defaultViewLimits, ViewHub } from '../../scheduler/driver/views/hub.ts';
import { routedWith } from '../../src/fabric/routes.ts';
import { validateView } from '../../src/fabric/validate-view.ts';
import { endpointKey, type EndpointState, type View, type ViewEndpoint } from '../../src/fabric/view.ts';
import { endpoint, host, network, sorted } from '../support/fabric-views.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { ViewClient } from '../support/view-client.ts';

const hosts = [0, 1, 2, 3].map((i) => host(`h${i}`, `10.0.0.${i + 1}`));
const networks = [
  network('red', 7, '10.32.0.0/16'),
  network('blue', 8, '10.33.0.0/16'),
  network('green', 9, '10.34.0.0/16'),
];

type Op =
  | { readonly kind: 'put'; readonly slot: number; readonly on: number; readonly state: EndpointState }
  | { readonly kind: 'remove'; readonly slot: number }
  | { readonly kind: 'route'; readonly from: number; readonly to: readonly number[] }
  | { readonly kind: 'flush' | 'host-moves'; readonly on: number }
  | { readonly kind: 'connect' | 'disconnect' | 'catch-up' | 'read' | 'stall'; readonly on: number };

const slotCount = 9;
const onHost = fc.nat(hosts.length - 1);
const opArbitrary: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      slot: fc.nat(slotCount - 1),
      on: onHost,
      state: fc.constantFrom<EndpointState>('standby', 'active', 'draining'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('route' as const),
      from: fc.nat(networks.length - 1),
      to: fc.uniqueArray(fc.nat(networks.length - 1), { maxLength: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), slot: fc.nat(slotCount - 1) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flush' as const), on: onHost }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'connect' as const,
        'disconnect',
        'catch-up',
        'catch-up',
        'read',
        'stall',
        'host-moves',
      ),
      on: onHost,
    }),
  },
);

/** The slots take turns between the networks; every second may have two incarnations. */
function endpointOf(slot: number, on: number, epoch: number, state: EndpointState): ViewEndpoint {
  const of = networks[slot % networks.length]!;
  const ip = `10.${of.vni + 25}.0.${10 + slot}`;
  return endpoint({ app: '/app', index: slot, epoch, network: of, host: hosts[on]!, ip, state });
}

class Model {
  readonly clock = new ManualClock();
  readonly converged = new Map<string, EndpointState>();
  readonly hub: ViewHub;
  readonly clients: readonly ViewClient[];
  readonly endpoints = new Map<number, ViewEndpoint>();
  readonly records = hosts.map((each) => ({ ...each }));
  readonly violations: string[] = [];
  readonly networks = [...networks];
  visible = new Map<string, ViewEndpoint>();
  #epoch = 0;

  constructor() {
    this.hub = new ViewHub({
      ...defaultViewLimits,
      maxDeltas: 4,
      term: 1,
      clock: this.clock,
      isReachable: () => true,
      onConverged: (of, state) => this.#onConverged(endpointKey(of), state),
      onCutOff: () => undefined,
    });
    this.hub.setNetworks(networks);
    for (const each of hosts) this.hub.setHost(each);
    this.clients = hosts.map((each) => new ViewClient(this.hub, each.id));
  }

  apply(op: Op): void {
    switch (op.kind) {
      case 'put':
        return this.#put(op.slot, endpointOf(op.slot, op.on, this.#epochFor(op), op.state));
      case 'remove':
        this.endpoints.delete(op.slot);
        return this.hub.setEndpoints(endpointOf(op.slot, 0, 1, 'active').slot, []);
      case 'route': {
        const routes = op.to.map((to) => networks[to]!.name);
        this.networks[op.from] = { ...networks[op.from]!, ...(routes.length === 0 ? {} : { routes }) };
        return this.hub.setNetworks(this.networks);
      }
      case 'flush':
        this.#flushed();
        return this.clock.advance(10);
      case 'host-moves':
        this.records[op.on] = { ...this.records[op.on]!, underlayIp: `10.1.0.${(this.#epoch += 1) % 250}` };
        return this.hub.setHost(this.records[op.on]!);
      case 'connect':
        this.#flushed();
        return this.clients[op.on]!.connect();
      case 'disconnect':
        return this.clients[op.on]!.disconnect();
      case 'catch-up':
        return this.clients[op.on]!.catchUp();
      case 'read':
        return this.clients[op.on]!.read();
      case 'stall':
        this.clients[op.on]!.outstandingBytes = defaultViewLimits.maxOutstandingBytes + 1;
    }
  }

  /** What the host must know in the end. */
  expectedOf(index: number): View {
    const own = [...this.endpoints.values()].filter((each) => each.host === hosts[index]!.id);
    const routed = routedWith(this.networks);
    const names = new Set(own.flatMap(({ network: name }) => [name, ...(routed.get(name) ?? [])]));
    const endpoints = [...this.endpoints.values()].filter((each) => names.has(each.network));
    const members = new Set(endpoints.map((each) => each.host));
    return {
      version: this.clients[index]!.view!.version,
      hosts: this.records.filter((each) => members.has(each.id)),
      networks: this.networks.filter((each) => names.has(each.name)),
      endpoints,
    };
  }

  #epochFor(op: Op & { kind: 'put' }): number {
    const known = this.endpoints.get(op.slot);
    return known !== undefined && known.host === hosts[op.on]!.id ? known.epoch : (this.#epoch += 1);
  }

  #put(slot: number, next: ViewEndpoint): void {
    this.endpoints.set(slot, next);
    this.hub.setEndpoints(next.slot, [next]);
  }

  /** Changes that were put become visible: what is checked on convergence. */
  #flushed(): void {
    this.visible = new Map([...this.endpoints.values()].map((each) => [endpointKey(each), each]));
  }

  /** Whoever is connected and shares the network, and the own host, must have this very state in force. */
  #onConverged(key: string, state: EndpointState): void {
    const converged = this.visible.get(key);
    // A state before the change that is on its way is of no interest any more.
    if (converged?.state !== state) return;
    this.converged.set(key, converged.state);
    const members = new Set(
      [...this.visible.values()]
        .filter((each) => each.network === converged.network)
        .map((each) => each.host),
    );
    for (const each of this.clients) {
      if (!members.has(each.host) || !(each.connected || each.host === converged.host)) continue;
      const known = each.view?.endpoints.find((other) => endpointKey(other) === key);
      if (known?.state !== converged.state) this.violations.push(`${key} converged without ${each.host}`);
    }
  }
}

/** Once found: a host that comes into the network later than the endpoint, having acknowledged what was before. */
const newcomer: Op[] = [
  { kind: 'put', slot: 3, on: 0, state: 'standby' },
  { kind: 'connect', on: 2 },
  { kind: 'put', slot: 0, on: 2, state: 'standby' },
  { kind: 'catch-up', on: 2 },
];

test('whatever happens, every host that catches up knows exactly what concerns it', () => {
  fc.assert(
    fc.property(fc.array(opArbitrary, { maxLength: 60 }), (ops) => {
      const model = new Model();
      for (const op of ops) model.apply(op);
      model.apply({ kind: 'flush', on: 0 });
      for (const client of model.clients) {
        client.connect();
        client.catchUp();
      }
      for (const [index, client] of model.clients.entries()) {
        expect(sorted(client.view!)).toEqual(sorted(model.expectedOf(index)));
        expect(validateView(client.view!)).toEqual([]);
      }
      expect(model.violations).toEqual([]);
      model.hub.close();
      expect(model.clock.pendingTimers).toBe(0);
    }),
    { numRuns: 1_000, examples: [[newcomer]] },
  );
});

test('once everybody has caught up, every endpoint has converged and its own host has been told', () => {
  fc.assert(
    fc.property(fc.array(opArbitrary, { maxLength: 60 }), (ops) => {
      const model = new Model();
      for (const op of ops) model.apply(op);
      model.apply({ kind: 'flush', on: 0 });
      for (const client of model.clients) client.connect();
      for (const client of model.clients) client.catchUp();
      for (const client of model.clients) client.read();
      expect(model.violations).toEqual([]);
      expect(model.hub.pendingEndpoints).toBe(0);
      for (const each of model.endpoints.values()) {
        expect(model.converged.get(endpointKey(each))).toBe(each.state);
        const own = model.clients.find((client) => client.host === each.host)!;
        expect(own.converged.get(endpointKey(each))).toBe(each.state);
      }
      model.hub.close();
    }),
    { numRuns: 500 },
  );
});
