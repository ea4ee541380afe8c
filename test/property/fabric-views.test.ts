import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { viewDescriptor, viewTypeNames } from '../../proto/view.gen.ts';
import type { ViewMessages } from '../../proto/view.gen.ts';
import { routedWith } from '../../src/fabric/routes.ts';
import { hostView } from '../../src/fabric/host-view.ts';
import { validateView } from '../../src/fabric/validate-view.ts';
import type { View } from '../../src/fabric/view.ts';
import { applyDelta, diffViews } from '../../src/fabric/view-diff.ts';
import { recordFromWire, recordToWire, reportFromWire, reportToWire } from '../../src/fabric/view-wire.ts';
import type { HostReport, ViewRecord } from '../../src/fabric/view-wire.ts';
import { createCodec } from '../../src/mesos/codec.ts';
import { agentId, executorId } from '../../src/model/ids.ts';
import { fabricArb, historyArb, hosts } from '../support/fabric-arbitraries.ts';
import { sorted } from '../support/fabric-views.ts';

const codec = createCodec<ViewMessages>(viewDescriptor, viewTypeNames);

/** The view at the end of a history, reached by deltas alone. */
function follow(history: readonly View[]): View | undefined {
  return history.reduce<View | undefined>((current, next) => {
    if (current === undefined) return next;
    const delta = diffViews(current, next);
    if (delta === undefined) return { ...current, version: next.version };
    const result = applyDelta(current, delta);
    return result.kind === 'applied' ? result.view : undefined;
  }, undefined);
}

test('the difference of two views, applied to the one, is the other', () => {
  fc.assert(
    fc.property(historyArb, (history) => {
      const reached = follow(history);
      const last = history.at(-1);
      if (reached === undefined || last === undefined) throw new Error('a delta was refused');
      expect(sorted(reached)).toEqual(sorted(last));
    }),
  );
});

test('the view of a host out of a valid fabric is valid, sparse and complete', () => {
  fc.assert(
    fc.property(fabricArb, fc.constantFrom(...hosts), (fabric, { id }) => {
      const own = hostView(fabric, id);
      expect(validateView(fabric)).toEqual([]);
      expect(validateView(own)).toEqual([]);
      const routed = routedWith(fabric.networks);
      const hosted = fabric.endpoints.filter(({ host }) => host === id).map(({ network }) => network);
      const networks = new Set(hosted.flatMap((name) => [name, ...(routed.get(name) ?? [])]));
      expect(new Set(own.networks.map(({ name }) => name))).toEqual(networks);
      expect(own.endpoints).toEqual(fabric.endpoints.filter(({ network }) => networks.has(network)));
      expect(new Set(own.hosts.map((host) => host.id))).toEqual(
        new Set(own.endpoints.map(({ host }) => host)),
      );
    }),
  );
});

const recordsOf = (history: readonly View[]): ViewRecord[] =>
  history.flatMap((view, i): ViewRecord[] => {
    const before = history[i - 1];
    const delta = before === undefined ? undefined : diffViews(before, view);
    const endpoint = view.endpoints[0];
    return [
      { kind: 'snapshot', view },
      { kind: 'heartbeat' },
      ...(delta === undefined ? [] : [{ kind: 'delta' as const, delta }]),
      ...(endpoint === undefined
        ? []
        : [
            {
              kind: 'converged' as const,
              endpoint: { slot: endpoint.slot, epoch: endpoint.epoch },
              state: endpoint.state,
            },
          ]),
    ];
  });

test('every record survives the wire in both encodings', () => {
  fc.assert(
    fc.property(historyArb, fc.constantFrom('protobuf' as const, 'json' as const), (history, encoding) => {
      for (const record of recordsOf(history)) {
        const bytes = codec.encode('ViewRecord', recordToWire(record), encoding);
        expect(recordFromWire(codec.decode('ViewRecord', bytes, encoding))).toEqual(record);
      }
    }),
  );
});

const reports: readonly HostReport[] = [
  {},
  { applied: { term: 3, n: 12 } },
  { applied: { term: 3, n: 12 }, problem: 'endpoint /web#0@1 is there twice' },
  {
    facts: {
      agentId: agentId('a1'),
      executorId: executorId('patchpanel-1-00ff00ff'),
      hostname: 'h1.example',
      underlayIp: '172.16.0.1',
      underlayMtu: 1500,
      datapath: 'netdev',
      ovsVersion: '3.1.0',
      dockerVersion: '20.10.24',
    },
  },
];

test.each(reports.map((report) => [report]))(
  'the report %j survives the wire in both encodings',
  (report) => {
    for (const encoding of ['protobuf', 'json'] as const) {
      const bytes = codec.encode('ViewReport', reportToWire(report), encoding);
      expect(reportFromWire(codec.decode('ViewReport', bytes, encoding))).toEqual(report);
    }
  },
);

test('facts with an unknown datapath are refused', () => {
  const { facts } = reportToWire(reports[3] ?? {});
  if (facts === undefined) throw new Error('the report has no facts');
  expect(() => reportFromWire({ facts: { ...facts, datapath: 'magic' } })).toThrow('"system" or "netdev"');
});
