import type { AppId, NetworkName } from '../model/ids.ts';
import { objectNumber } from './cookie.ts';
import { hasGateway } from './gateways.ts';
import type { ViewIndex } from './view-index.ts';

/** Stands for what is outside of the fabric, and is what a register holds that nobody wrote. */
export const outsideNumber = 0;
/** Stands for an app that is not known. */
export const unknownNumber = 1;

/**
 * The number of an app in the registers of a frame, the same on every host. Two apps may share one (a pair among some
 * 90,000): they are then counted together.
 */
export const appNumber = (app: AppId): number => Math.max(2, objectNumber(app));

/** An end of traffic: an app, what is outside of the fabric, or an app that is not told apart. */
export type TrafficEnd = AppId | 'outside' | 'unknown';

/** Two ends between which traffic is counted. */
export interface AppPair {
  readonly from: TrafficEnd;
  readonly to: TrafficEnd;
}

/** What a register holds for an end. */
export function endNumber(end: TrafficEnd): number {
  if (end === 'outside') return outsideNumber;
  return end === 'unknown' ? unknownNumber : appNumber(end);
}

/** The object in the cookies of the flow that counts a pair. */
export const pairNumber = ({ from, to }: AppPair): number => objectNumber(`${from} ${to}`);

/** With more pairs than this in a network, a host does not tell the senders apart. */
export const maxPairs = 4_096;

/** What a host counts in a network, where frames arrive. */
export interface CountedPairs {
  readonly pairs: readonly AppPair[];
  /** Whether each pair has a flow; else each receiver has one, and all pairs are from `unknown`. */
  readonly apart: boolean;
}

/**
 * The pairs that a host counts in a network: from each app that can reach the network to each app that it has an
 * endpoint of, and between these and the outside. It depends on the view alone.
 */
export function countedPairs(network: NetworkName, index: ViewIndex): CountedPairs {
  const here = [...(index.localApps.get(network)?.keys() ?? [])];
  const record = index.networks.get(network);
  if (here.length === 0 || record === undefined) return { pairs: [], apart: true };
  const networks = [network, ...(index.routes.get(network) ?? []).map((route) => route.network.name)];
  const senders = new Set<TrafficEnd>(networks.flatMap((name) => [...(index.apps.get(name)?.keys() ?? [])]));
  senders.add('unknown');
  if (hasGateway(record)) senders.add('outside');
  const receivers: TrafficEnd[] = hasGateway(record) ? [...here, 'outside'] : here;
  if (senders.size * receivers.length > maxPairs) {
    return { pairs: receivers.map((to): AppPair => ({ from: 'unknown', to })), apart: false };
  }
  return {
    pairs: receivers.flatMap((to) => Array.from(senders, (from): AppPair => ({ from, to }))),
    apart: true,
  };
}
