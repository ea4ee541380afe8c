import type { Entrance, SwitchPort } from '../../../src/fabric/path/question.ts';
import type { LocalSwitch } from '../../../src/fabric/local-switch.ts';
import { endpointKey, type EndpointKey } from '../../../src/fabric/view.ts';
import { slotIdFromText } from '../../../src/model/ids.ts';

/** OpenFlow port that a frame of this origin comes in by; undefined when the host has none. */
export function entrancePort(local: LocalSwitch, entrance: Entrance): number | undefined {
  if (entrance.kind === 'endpoint') return local.ofports.get(endpointKey(entrance.endpoint));
  return local.peerOfports === undefined ? local.tunnelOfport : local.peerOfports.get(entrance.from);
}

/** What is behind a port of the switch; undefined when it is none of ours. */
export function describePort(local: LocalSwitch, number: number): SwitchPort | undefined {
  if (number === local.tunnelOfport && local.peerOfports === undefined) return { number, kind: 'tunnel' };
  for (const [to, ofport] of local.peerOfports ?? [])
    if (ofport === number) return { number, kind: 'tunnel', to };
  for (const [network, ofport] of local.gatewayOfports ?? []) {
    if (ofport === number) return { number, kind: 'gateway', network };
  }
  for (const [key, ofport] of local.ofports) {
    if (ofport === number) return { number, kind: 'endpoint', endpoint: keyFromText(key) };
  }
  return undefined;
}

/** `/web#0@3` as endpointKey wrote it. */
function keyFromText(text: string): EndpointKey {
  const at = text.lastIndexOf('@');
  return { slot: slotIdFromText(text.slice(0, at)), epoch: Number(text.slice(at + 1)) };
}
