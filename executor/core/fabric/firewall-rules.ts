import type { Publication } from '../../../src/fabric/publication.ts';
import type { Forward, GatewayLeg, GatewayWish } from './gateway-legs.ts';

/** The one nftables table that is ours: nothing else of the host's rules is touched. */
export const firewallTable = 'ip patchpanel';

/** All legs of the host by name. */
const anyLeg = '"ppg*"';

/** A file for `nft -f` that takes our table away; fine when it is not there. */
export const noRules = `table ${firewallTable}\ndelete table ${firewallTable}\n`;

/**
 * A file for `nft -f` that replaces our table as a whole, in one step. Containers of networks with NAT go out as the
 * host, and so do those that are let out on their own; what is published or forwarded comes in; nothing else passes
 * between the host's legs and the outside, or between two legs. Without a leg that packets go through no rules are
 * needed: the switch lets questions of names and leases alone pass.
 */
export function firewallRules(wish: GatewayWish, underlayIp: string): string {
  const { legs, publications, forwards } = wish;
  if (!needsRules(legs)) return noRules;
  const open = legs.filter(({ nat }) => nat);
  const openDevices = open.map(({ device }) => `"${device}"`).join(', ');
  const translations = [...publications.flatMap(translation), ...forwardRules(forwards)];
  const letOut = wish.outgoing.length === 0 ? [] : [`ip saddr { ${wish.outgoing.join(', ')} }`];
  const chains: readonly (readonly [string, string, readonly string[]])[] = [
    ['prerouting', 'type nat hook prerouting priority -100', translations],
    [
      'output',
      'type nat hook output priority -100',
      translations.map((rule) => `ip daddr != 127.0.0.0/8 ${rule}`),
    ],
    [
      'postrouting',
      'type nat hook postrouting priority 100',
      [
        `oifname ${anyLeg} snat to ${underlayIp}`,
        ...open.map(({ cidr }) => `ip saddr ${cidr} oifname != ${anyLeg} masquerade`),
        ...letOut.map((sources) => `${sources} oifname != ${anyLeg} masquerade`),
      ],
    ],
    [
      'forward',
      'type filter hook forward priority 0',
      [
        'ct state established,related accept',
        `oifname ${anyLeg} ct status dnat accept`,
        `oifname ${anyLeg} drop`,
        ...(open.length === 0 ? [] : [`iifname { ${openDevices} } accept`]),
        ...letOut.map((sources) => `iifname ${anyLeg} ${sources} accept`),
        `iifname ${anyLeg} drop`,
      ],
    ],
    [
      'input',
      'type filter hook input priority 0',
      [
        ...(open.length === 0 ? [] : [`iifname { ${openDevices} } accept`]),
        ...letOut.map((sources) => `iifname ${anyLeg} ${sources} accept`),
        `iifname ${anyLeg} ct state established,related accept`,
        // Names and leases.
        `iifname ${anyLeg} meta l4proto { tcp, udp } th dport { 53, 67 } accept`,
        `iifname ${anyLeg} drop`,
      ],
    ],
  ];
  const text = chains.map(
    ([name, hook, rules]) =>
      `  chain ${name} {\n${[`${hook}; policy accept;`, ...rules].map((line) => `    ${line}\n`).join('')}  }\n`,
  );
  return `${noRules}table ${firewallTable} {\n${text.join('')}}\n`;
}

/** True when something has to be kept out, or translated. */
export const needsRules = (legs: readonly GatewayLeg[]): boolean => legs.some(({ gateway }) => gateway);

/** New connections are spread over the targets at random; one that is there stays where it is. */
function translation({ protocol, hostPort, port, targets }: Publication): string[] {
  const [only, ...others] = targets;
  if (only === undefined) return [];
  const match = `fib daddr type local ${protocol} dport ${hostPort}`;
  if (others.length === 0) return [`${match} dnat to ${only}:${port}`];
  const choices = targets.map((target, i) => `${i} : ${target} . ${port}`).join(', ');
  return [`${match} dnat to numgen random mod ${targets.length} map { ${choices} }`];
}

/** One look-up for each protocol, however many ports there are. */
function forwardRules(forwards: readonly Forward[]): string[] {
  return (['tcp', 'udp'] as const).flatMap((protocol) => {
    const entries = forwards
      .filter((forward) => forward.protocol === protocol)
      .map(({ hostPort, ip, port }) => `${hostPort} : ${ip} . ${port}`);
    if (entries.length === 0) return [];
    return [`fib daddr type local dnat to ${protocol} dport map { ${entries.join(', ')} }`];
  });
}
