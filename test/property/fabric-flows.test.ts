import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compile } from '../../src/fabric/compile.ts';
import { FlowCompiler } from '../../src/fabric/flow-compiler.ts';
import { flowIdentity } from '../../src/fabric/flow.ts';
import type { Flow, FlowDiff } from '../../src/fabric/flow.ts';
import { serviceAddress } from '../../src/fabric/gateways.ts';
import { hostView } from '../../src/fabric/host-view.ts';
import { portRange } from '../../src/fabric/incarnations.ts';
import { macOf } from '../../src/fabric/mac.ts';
import { endpointKey } from '../../src/fabric/view.ts';
import type { View, ViewEndpoint } from '../../src/fabric/view.ts';
import { fabricArb, historyArb, hosts, networks } from '../support/fabric-arbitraries.ts';
import { frameOf, Pipeline } from '../support/fabric-pipeline.ts';
import type { Frame } from '../support/fabric-pipeline.ts';
import { ack, Fabric, ipFrame, syn, tcp, udp } from '../support/fabric-switches.ts';
import { switchOf } from '../support/fabric-views.ts';

const agentArb = fc.constantFrom(...hosts.map(({ id }) => id));

const textOf = (flows: readonly Flow[]): string[] =>
  flows.map((flow) => `${flow.cookie} ${flowIdentity(flow)} ${flow.actions}`).sort();

function applyDiff(flows: readonly Flow[], diff: FlowDiff): Flow[] {
  const held = new Map(flows.map((flow) => [flowIdentity(flow), flow]));
  for (const flow of diff.remove) expect(held.delete(flowIdentity(flow))).toBe(true);
  for (const flow of diff.modify) expect(held.has(flowIdentity(flow))).toBe(true);
  for (const flow of diff.add) expect(held.has(flowIdentity(flow))).toBe(false);
  for (const flow of [...diff.modify, ...diff.add]) held.set(flowIdentity(flow), flow);
  return [...held.values()];
}

test('a switch that follows changes holds the same flows as one compiled anew', () => {
  fc.assert(
    fc.property(historyArb, agentArb, fc.boolean(), (history, agent, latePorts) => {
      let [view] = history;
      if (view === undefined) return;
      const compiler = new FlowCompiler();
      let objects = compiler.update(view, switchOf(view, agent));
      let flows = objects.all();
      for (const next of history.slice(1)) {
        const plugged = switchOf(next, agent);
        // Ports come with the view or a moment later.
        if (latePorts) compiler.update(next, switchOf(view, agent));
        const updated = compiler.update(next, plugged);
        flows = applyDiff(flows, objects.diff(updated));
        [objects, view] = [updated, next];
        expect(textOf(flows)).toEqual(textOf(compile(next, plugged)));
      }
    }),
  );
});

test('no switch holds two flows of one identity, nor any that floods or learns', () => {
  fc.assert(
    fc.property(fabricArb, agentArb, (fabric, agent) => {
      const flows = compile(fabric, switchOf(fabric, agent));
      const identities = flows.map((flow) => identityInAnyOrder(flow));
      expect(new Set(identities).size).toBe(identities.length);
      for (const { actions } of flows) expect(actions).not.toMatch(/NORMAL|FLOOD|ALL|learn|CONTROLLER/i);
    }),
  );
});

const identityInAnyOrder = (flow: Flow): string =>
  `${flow.table} ${flow.priority} ${flow.match.split(',').sort().join()}`;

const pairsOf = (fabric: View): [ViewEndpoint, ViewEndpoint][] =>
  fabric.endpoints.flatMap((from) => fabric.endpoints.map((to): [ViewEndpoint, ViewEndpoint] => [from, to]));
const activeAt = (fabric: View, of: ViewEndpoint): ViewEndpoint | undefined =>
  fabric.endpoints.find(
    ({ network, ip, state }) => network === of.network && ip === of.ip && state === 'active',
  );

test('every frame reaches the active incarnation of its destination and no other, on whatever hosts they are', () => {
  fc.assert(
    fc.property(fabricArb, (fabric) => {
      const fabricOfSwitches = new Fabric(fabric);
      for (const [from, to] of pairsOf(fabric)) {
        if (from.mac === to.mac) continue;
        const active = activeAt(fabric, to);
        const expected =
          active === undefined || from.network !== to.network ? undefined : endpointKey(active);
        const sent = fabricOfSwitches.send(from, ipFrame(from, to));
        if (expected !== undefined) expect(sent).toBe(expected);
        // The same MAC may exist in another network: the frame then stays in its own.
        else if (sent.includes('@')) expect(sent.split('#')[0]).toBe(`/${from.network}`);
        else expect(sent).toBe('unknown-destination');
      }
    }),
    { numRuns: 40 },
  );
});

test('replies go to the incarnation that opened the connection; new connections to the active one', () => {
  fc.assert(
    fc.property(fabricArb, (fabric) => {
      const fabricOfSwitches = new Fabric(fabric);
      for (const [from, to] of pairsOf(fabric)) {
        if (from.slot === to.slot || from.network !== to.network) continue;
        const rivals = fabric.endpoints.filter(
          ({ slot, epoch }) => slot === to.slot && epoch !== to.epoch && epoch % 2 === to.epoch % 2,
        );
        // Epochs of equal parity share a range; nextEpoch keeps them apart where it matters.
        if (rivals.length > 0) continue;
        const { first, last } = portRange(to.epoch);
        const frame = ipFrame(from, to);
        for (const port of [first, last]) {
          expect(fabricOfSwitches.send(from, tcp(frame, port, ack))).toBe(endpointKey(to));
          expect(fabricOfSwitches.send(from, tcp(frame, port, syn | ack))).toBe(endpointKey(to));
          expect(fabricOfSwitches.send(from, udp(frame, port))).toBe(endpointKey(to));
        }
        const active = activeAt(fabric, to);
        const expected = active === undefined ? 'unknown-destination' : endpointKey(active);
        expect(fabricOfSwitches.send(from, tcp(frame, first, syn))).toBe(expected);
        expect(fabricOfSwitches.send(from, tcp(frame, 80, ack))).toBe(expected);
      }
    }),
    { numRuns: 40 },
  );
});

test('an endpoint cannot speak as another, by MAC, by address or in ARP', () => {
  fc.assert(
    fc.property(fabricArb, (fabric) => {
      const fabricOfSwitches = new Fabric(fabric);
      for (const [from, to] of pairsOf(fabric)) {
        if (from.ip === to.ip) continue;
        const arp = { dl_type: 0x806, arp_op: 1, arp_tpa: to.ip, dl_dst: 'ff:ff:ff:ff:ff:ff' };
        const frames: Frame[] = [
          { ...ipFrame(from, to), ...frameOf({ dl_src: to.mac }) },
          { ...ipFrame(from, to), ...frameOf({ nw_src: to.ip }) },
          frameOf({ ...arp, dl_src: from.mac, arp_sha: from.mac, arp_spa: to.ip }),
          frameOf({ ...arp, dl_src: from.mac, arp_sha: to.mac, arp_spa: from.ip }),
          frameOf({ ...arp, dl_src: to.mac, arp_sha: to.mac, arp_spa: from.ip }),
          frameOf({ ...arp, dl_src: from.mac, arp_sha: from.mac, arp_spa: '0.0.0.0', arp_op: 2 }),
        ];
        for (const frame of frames) expect(fabricOfSwitches.send(from, frame)).toBe('spoofed');
        expect(fabricOfSwitches.send(from, { ...ipFrame(from, to), vlan_tci: 0x1005n })).toBe('tagged');
      }
    }),
    { numRuns: 40 },
  );
});

test('from the tunnel an address is heard from the hosts that own it in the view, and from no other', () => {
  fc.assert(
    fc.property(fabricArb, (fabric) => {
      const fabricOfSwitches = new Fabric(fabric);
      for (const at of fabric.hosts) {
        const own = hostView(fabric, at.id);
        for (const { network, ip, mac } of fabric.endpoints) {
          const vni = networks.find(({ name }) => name === network)?.vni ?? 0;
          const owners = own.endpoints.filter((each) => each.network === network && each.ip === ip);
          for (const claimed of hosts) {
            const frame = ipFrame({ mac, ip }, { mac: '0a:00:00:00:00:00', ip });
            const heard = fabricOfSwitches.receive(at.id, claimed.underlayIp, vni, frame);
            const owns = claimed.id !== at.id && owners.some(({ host }) => host === claimed.id);
            const known = own.networks.some(({ name }) => name === network);
            expect(heard).toBe(owns ? 'unknown-destination' : known ? 'fenced' : 'unknown-network');
          }
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('without a handover, what came out of the tunnel goes to a port of this host or nowhere', () => {
  fc.assert(
    fc.property(fabricArb, (fabric) => {
      const fabricOfSwitches = new Fabric(fabric);
      for (const [from, to] of pairsOf(fabric)) {
        const vni = networks.find(({ name }) => name === from.network)?.vni;
        const sender = fabric.hosts.find(({ id }) => id === from.host);
        if (vni === undefined || sender === undefined || from.network !== to.network) continue;
        if (fabric.endpoints.some(({ slot, epoch }) => slot === to.slot && epoch !== to.epoch)) continue;
        for (const at of fabric.hosts) {
          const shares = fabric.endpoints.some(
            ({ network, host }) => network === from.network && host === at.id,
          );
          if (at.id === from.host || !shares) continue;
          const active = activeAt(fabric, to);
          const expected = active?.host === at.id ? endpointKey(active) : 'unknown-destination';
          const frame = ipFrame(from, to);
          expect(fabricOfSwitches.receive(at.id, sender.underlayIp, vni, frame)).toBe(expected);
          const reply = fabricOfSwitches.receive(at.id, sender.underlayIp, vni, tcp(frame, 0xffff, ack));
          const local = new Set(fabric.endpoints.filter(({ host }) => host === at.id).map(endpointKey));
          expect(reply === 'unknown-destination' || local.has(reply)).toBe(true);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('every address in use, the gateway and the service address are answered in ARP; nothing else is, and nobody is told that his own is taken', () => {
  fc.assert(
    fc.property(fabricArb, (fabric) => {
      for (const from of fabric.endpoints) {
        const local = switchOf(fabric, from.host);
        const pipeline = new Pipeline(compile(hostView(fabric, from.host), local));
        const network = networks.find(({ name }) => name === from.network);
        const ofport = local.ofports.get(endpointKey(from));
        if (network === undefined || ofport === undefined) throw new Error('not a valid view');
        const inUse = new Set(
          fabric.endpoints.filter((each) => each.network === from.network).map(({ ip }) => ip),
        );
        const base = network.cidr.slice(0, network.cidr.lastIndexOf('.'));
        for (let last = 1; last < 8; last++) {
          const asked = `${base}.${last}`;
          const verdict = pipeline.run(
            frameOf({
              in_port: ofport,
              dl_type: 0x806,
              dl_src: from.mac,
              dl_dst: 'ff:ff:ff:ff:ff:ff',
              arp_op: 1,
              arp_spa: from.ip,
              arp_sha: from.mac,
              arp_tpa: asked,
            }),
          );
          const service = serviceAddress(network);
          const reserved = asked === network.gateway || asked === service;
          const answered = asked !== from.ip && (inUse.has(asked) || reserved);
          if (!answered) {
            expect(verdict).toEqual({
              outputs: [],
              dropped: asked === from.ip ? 'own-address' : 'unanswered-arp',
            });
            continue;
          }
          const mac = macOf(network.vni, asked === service ? network.gateway : asked);
          expect(verdict.outputs).toMatchObject([
            {
              port: ofport,
              frame: frameOf({
                dl_src: mac,
                dl_dst: from.mac,
                arp_op: 2,
                arp_sha: mac,
                arp_spa: asked,
                arp_tha: from.mac,
                arp_tpa: from.ip,
              }),
            },
          ]);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('only questions of names get to the leg of the own host, and only answers come out of it', () => {
  fc.assert(
    fc.property(fabricArb, (fabric) => {
      for (const from of fabric.endpoints) {
        const plugged = switchOf(fabric, from.host);
        const leg = 16_384;
        const local = { ...plugged, gatewayOfports: new Map([[from.network, leg]]) };
        const pipeline = new Pipeline(compile(hostView(fabric, from.host), local));
        const network = fabric.networks.find(({ name }) => name === from.network)!;
        const ofport = local.ofports.get(endpointKey(from))!;
        const service = serviceAddress(network);
        const mac = macOf(network.vni, network.gateway);
        const question = frameOf({
          in_port: ofport,
          dl_type: 0x800,
          dl_src: from.mac,
          dl_dst: mac,
          nw_src: from.ip,
          nw_dst: service,
          nw_proto: 17,
          tp_src: 40_000,
          tp_dst: 53,
        });
        const portsOf = (frame: typeof question) => pipeline.run(frame).outputs.map(({ port }) => port);
        expect(portsOf(question)).toEqual([leg]);
        expect(portsOf({ ...question, ...frameOf({ nw_proto: 6 }) })).toEqual([leg]);
        expect(portsOf({ ...question, ...frameOf({ nw_src: '10.9.9.9' }) })).toEqual([]);
        if (network.nat === true) continue;
        expect(portsOf({ ...question, ...frameOf({ tp_dst: 54 }) })).toEqual([]);
        const foreign = { dl_src: mac, dl_dst: from.mac, nw_src: service, nw_dst: from.ip };
        const out = frameOf({ in_port: leg, dl_type: 0x800, nw_proto: 17, tp_dst: 20_000, ...foreign });
        expect(portsOf({ ...out, ...frameOf({ tp_src: 54 }) })).toEqual([]);
        if (from.state !== 'active') continue;
        expect(portsOf({ ...out, ...frameOf({ tp_src: 53 }) })).toEqual([ofport]);
        expect(portsOf({ ...out, ...frameOf({ tp_src: 53, nw_src: network.gateway }) })).toEqual([]);
      }
    }),
    { numRuns: 40 },
  );
});

test('between networks goes what a route lets through, to the MAC of its destination; nothing else does', () => {
  fc.assert(
    fc.property(fabricArb, (fabric) => {
      const fabricOfSwitches = new Fabric(fabric);
      const networkOf = (of: ViewEndpoint) => fabric.networks.find(({ name }) => name === of.network)!;
      for (const [from, to] of pairsOf(fabric)) {
        // Blue has the addresses of red, and so no routes: what is sent to its addresses is sent to red's.
        if (from.network === to.network || from.network === 'blue' || to.network === 'blue') continue;
        const [own, other] = [networkOf(from), networkOf(to)];
        const opens = own.routes?.includes(other.name) === true;
        const routed = opens || other.routes?.includes(own.name) === true;
        const active = activeAt(fabric, to);
        const arrives = active === undefined ? 'unknown-destination' : endpointKey(active);
        const frame = {
          ...ipFrame(from, { ...to, mac: macOf(own.vni, own.gateway) }),
          ...frameOf({ nw_ttl: 64, icmp_type: 0 }),
        };
        const refused = own.nat === true ? 'not-routed' : 'unknown-destination';
        expect(fabricOfSwitches.send(from, tcp(frame, 80, ack))).toBe(routed ? arrives : refused);
        const begun = tcp(frame, 80, syn);
        const unopened = routed ? 'not-routed' : refused;
        expect(fabricOfSwitches.send(from, begun)).toBe(opens ? arrives : unopened);
        const ping = { ...frame, ...frameOf({ icmp_type: 8 }) };
        expect(fabricOfSwitches.send(from, ping)).toBe(opens ? arrives : unopened);
      }
    }),
    { numRuns: 60 },
  );
});
