import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { compile } from '../../src/fabric/compile.ts';
import { cookieParts } from '../../src/fabric/cookie.ts';
import { hostView } from '../../src/fabric/host-view.ts';
import { table } from '../../src/fabric/tables.ts';
import { appNumber, countedPairs, maxPairs, pairNumber } from '../../src/fabric/traffic.ts';
import { ViewIndex } from '../../src/fabric/view-index.ts';
import { endpointKey } from '../../src/fabric/view.ts';
import { fabricArb } from '../support/fabric-arbitraries.ts';
import { Fabric, ipFrame } from '../support/fabric-switches.ts';
import { endpoint, host, largeView, network, switchOf, view } from '../support/fabric-views.ts';
import { agentId } from '../../src/model/ids.ts';

test('what is delivered is counted for the pair of its apps, on the host where it arrives', () => {
  fc.assert(
    fc.property(fabricArb, (fabric) => {
      const switches = new Fabric(fabric);
      for (const from of fabric.endpoints) {
        for (const to of fabric.endpoints) {
          if (from.mac === to.mac || from.network !== to.network || to.state !== 'active') continue;
          if (switches.send(from, ipFrame(from, to)) !== endpointKey(to)) continue;
          const counted = switches.lastCookies
            .map(cookieParts)
            .filter(({ purpose }) => purpose === 'traffic');
          // During a handover nobody looks at who sent what the other host of it passes on.
          const handedOver = fabric.endpoints.some(
            ({ slot, epoch }) => slot === to.slot && epoch !== to.epoch,
          );
          const pairs = [from.app, ...(handedOver ? (['unknown'] as const) : [])].map((sender) =>
            pairNumber({ from: sender, to: to.app }),
          );
          expect(counted).toHaveLength(1);
          expect(pairs).toContain(counted[0]?.object);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('with too many pairs each app is counted by what it gets alone, so a table has its bound', () => {
  const large = largeView(10, 10_000);
  const agent = agentId('agent-0');
  const flows = compile(hostView(large, agent), switchOf(large, agent)).filter(
    (flow) => flow.table === table.traffic,
  );
  const apps = new Set(large.endpoints.filter((each) => each.host === agent).map(({ app }) => app));
  expect(flows).toHaveLength(apps.size + 1);
  expect(flows.length).toBeLessThan(maxPairs);
  expect(flows[0]?.match).toMatch(/^reg0=0x7,reg4=0x/);
});

test('with a way out, what leaves and what comes from outside is counted, too', () => {
  const open = { ...network('red', 7, '10.1.0.0/24'), nat: true };
  const here = host('here', '172.16.0.1');
  const web = endpoint({ app: '/web', network: open, host: here, ip: '10.1.0.5' });
  const index = new ViewIndex(view([here], [open], [web]), here.id);
  expect(countedPairs(open.name, index).pairs).toEqual([
    { from: '/web', to: '/web' },
    { from: 'unknown', to: '/web' },
    { from: 'outside', to: '/web' },
    { from: '/web', to: 'outside' },
    { from: 'unknown', to: 'outside' },
    { from: 'outside', to: 'outside' },
  ]);
  expect(appNumber(web.app)).toBeGreaterThan(1);
});
