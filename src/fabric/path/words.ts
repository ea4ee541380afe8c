import type { DropReason, Purpose } from '../cookie.ts';
import { table } from '../tables.ts';

/** Why frames are dropped, in words that follow "dropped:". */
export const dropWords: Readonly<Record<DropReason, string>> = {
  'unknown-port': 'it comes in by a port that belongs to no endpoint of the view',
  tagged: 'frames with a VLAN tag are not carried',
  'unknown-network': 'the host has no endpoint in that network',
  fenced: 'by the view the sender is not on the host that it comes from (fenced by the tunnel guard)',
  spoofed: "its MAC or address is not the port's own (port security)",
  'unsupported-protocol': 'only IPv4 and ARP are carried',
  'own-address': 'it asks for its own address, which nobody else has',
  'unanswered-arp': 'nobody in the network has the address, so ARP is not answered',
  multicast: 'broadcast and multicast are not carried',
  'unknown-destination': 'no endpoint in service has the address',
  'not-routed': 'the network has no route there and no way out (NAT)',
  'unknown-connection': 'it belongs to no connection of the incarnation that it was sent on to',
};

const purposeWords: Readonly<Record<Purpose, string>> = {
  base: 'goes on',
  endpointLocal: 'the destination is on this host',
  endpointRemote: 'the destination is on another host',
  service: 'the switch answers itself',
  handover: 'a handover is under way: whose the connection is decides',
  gateway: 'the gateway takes it',
  traffic: 'it is counted for the two apps',
};

/** Where the same purpose means something else. */
const inTable: Readonly<Record<string, string>> = {
  [`${table.classify} base`]: 'it comes out of the tunnel',
  [`${table.classify} endpointLocal`]: "it comes in by an endpoint's port",
  [`${table.classify} gateway`]: "it comes from the host's own leg in the network",
  [`${table.tunnelGuard} endpointRemote`]: 'by the view the sender is on the host that it comes from',
  [`${table.tunnelGuard} gateway`]: 'it comes from the gateway of the host that speaks as it',
  [`${table.tunnelGuard} handover`]: 'the other host of a handover passes it on',
  [`${table.portSecurity} endpointLocal`]: "MAC and address are the port's own",
  [`${table.portSecurity} handover`]: "MAC and address are the port's own; its connection is tracked",
  [`${table.gateway} base`]: 'it is not for the gateway',
  [`${table.gateway} endpointLocal`]: 'this host lets its endpoint out by the gateway',
  [`${table.traffic} base`]: 'the two apps are not told apart',
  [`${table.output} base`]: 'out of the port',
};

/** What a rule of this table and purpose decides, in words. */
export const decisionWords = (number: number, purpose: Purpose): string =>
  inTable[`${number} ${purpose}`] ?? purposeWords[purpose];
