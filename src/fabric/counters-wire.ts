import type {
  ViewCounters as CountersMessage,
  ViewDropCount as DropMessage,
  ViewTrafficCount as TrafficMessage,
} from '../../proto/view.gen.ts';
import { appId } from '../model/ids.ts';
import { isDropReason } from './cookie.ts';
import type { DropCount, HostCounters, TrafficCount } from './counters.ts';
import { objectKeyFromText } from './object-key.ts';
import type { TrafficEnd } from './traffic.ts';

/** The message of counters, as the codec takes it. */
export const countersToWire = ({ origin, drops, traffic }: HostCounters): CountersMessage => ({
  origin,
  drops: drops.map((row) => ({ ...row })),
  traffic: traffic.map((row) => ({ ...row })),
});

/** Decoded counters in our words; rows that this build does not know are left out. */
export const countersFromWire = ({ origin, drops = [], traffic = [] }: CountersMessage): HostCounters => ({
  origin,
  drops: drops.flatMap(dropFromWire),
  traffic: traffic.flatMap(trafficFromWire),
});

function dropFromWire({ reason, subject, packets, bytes }: DropMessage): DropCount[] {
  const key = objectKeyFromText(subject);
  return isDropReason(reason) && key !== undefined ? [{ reason, subject: key, packets, bytes }] : [];
}

function trafficFromWire({ from, to, packets, bytes }: TrafficMessage): TrafficCount[] {
  const [sender, receiver] = [endFromWire(from), endFromWire(to)];
  if (sender === undefined || receiver === undefined) return [];
  return [{ from: sender, to: receiver, packets, bytes }];
}

function endFromWire(text: string): TrafficEnd | undefined {
  if (text === 'outside' || text === 'unknown') return text;
  return text.startsWith('/') ? appId(text) : undefined;
}
