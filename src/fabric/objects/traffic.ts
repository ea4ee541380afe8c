import type { Flow } from '../flow.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { cookieOf } from '../cookie.ts';
import { table } from '../tables.ts';
import { countedPairs, endNumber, pairNumber } from '../traffic.ts';
import type { TrafficEnd } from '../traffic.ts';
import type { ViewNetwork } from '../view.ts';
import type { ViewIndex } from '../view-index.ts';
import { goTo } from './actions.ts';
import { networkMatch } from './network-match.ts';

/**
 * Counters of what is delivered here, one flow for each pair of apps, or for each app. They match registers alone, so the datapath's
 * cache holds no more entries for them than without.
 */
export function trafficFlows(network: ViewNetwork, index: ViewIndex, local: LocalSwitch): Flow[] {
  const flows = new Map<string, Flow>();
  const { pairs, apart } = countedPairs(network.name, index);
  const inNetwork = networkMatch(network.vni);
  for (const pair of pairs) {
    const match = `${inNetwork}${apart ? `,reg2=${registerOf(pair.from)}` : ''},reg4=${registerOf(pair.to)}`;
    const cookie = cookieOf(local.round, 'traffic', pairNumber(pair));
    // Apps that share a number share a flow.
    flows.set(match, { table: table.traffic, priority: 100, match, actions: goTo(table.output), cookie });
  }
  return [...flows.values()];
}

const registerOf = (end: TrafficEnd): string => `0x${endNumber(end).toString(16)}`;
