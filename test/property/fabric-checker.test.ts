import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { validateView } from '../../src/fabric/validate-view.ts';
import { ViewChecker } from '../../src/fabric/view-checker.ts';
import { applyDelta, diffViews } from '../../src/fabric/view-diff.ts';
import type { View, ViewEndpoint } from '../../src/fabric/view.ts';
import { historyArb } from '../support/fabric-arbitraries.ts';

/** Ways to spoil a view; each changes one endpoint, or takes something away that it needs. */
const spoils: readonly ((view: View, at: number) => View)[] = [
  (view) => view,
  (view, at) => changed(view, at, (each) => ({ ...each, ip: '192.0.2.1' })),
  (view, at) => changed(view, at, (each) => ({ ...each, mac: '01:00:00:00:00:01' })),
  (view, at) => changed(view, at, (each) => ({ ...each, epoch: 0 })),
  (view, at) => changed(view, at, (each) => ({ ...each, ip: view.endpoints[0]?.ip ?? each.ip })),
  (view, at) => changed(view, at, (each) => ({ ...each, mac: view.endpoints[0]?.mac ?? each.mac })),
  (view, at) => changed(view, at, (each) => ({ ...each, state: 'active' })),
  (view) => ({ ...view, hosts: view.hosts.slice(1) }),
  (view) => ({ ...view, networks: view.networks.slice(1) }),
];

function changed(view: View, at: number, change: (each: ViewEndpoint) => ViewEndpoint): View {
  const index = at % Math.max(1, view.endpoints.length);
  return { ...view, endpoints: view.endpoints.map((each, i) => (i === index ? change(each) : each)) };
}

test('views that follow each other are judged as if each were looked at anew, good and bad ones', () => {
  const step = fc.record({ spoil: fc.nat(spoils.length * 2), at: fc.nat(20) });
  fc.assert(
    fc.property(historyArb, fc.array(step, { minLength: 12, maxLength: 12 }), (history, steps) => {
      const checker = new ViewChecker();
      let before: View | undefined;
      for (const [index, whole] of history.entries()) {
        const { spoil, at } = steps[index % steps.length]!;
        const spoiled = (spoils[spoil] ?? spoils[0]!)(whole, at);
        // As a host has it: made from the one before by a change, so most records are the same objects.
        const delta = before === undefined ? undefined : diffViews(before, spoiled);
        const result = before === undefined || delta === undefined ? undefined : applyDelta(before, delta);
        const view = result?.kind === 'applied' ? result.view : spoiled;
        expect(checker.check(view)).toEqual(validateView(view));
        before = view;
      }
    }),
  );
});
