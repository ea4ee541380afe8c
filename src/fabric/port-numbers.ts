/** OpenFlow ports, both ends included. 1 is the one tunnel port, from 32768 on are those of endpoints. */
interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Peers of a mesh. */
export const peerPortRange: PortRange = { first: 2, last: 16_383 };
/** Legs of the host in networks. */
export const gatewayPortRange: PortRange = { first: 16_384, last: 24_575 };
/** Machines of the operator's. */
export const devicePortRange: PortRange = { first: 24_576, last: 32_767 };

/**
 * OpenFlow port of each of `names`. Who has a port keeps it; a new one gets the next after the highest in use, so that
 * the port of one that has just left is not at once that of another.
 * @returns fewer than were asked for when the range is used up
 */
export function assignPorts(
  present: ReadonlyMap<string, number>,
  names: readonly string[],
  { first, last }: PortRange,
): ReadonlyMap<string, number> {
  const inRange = [...present].filter(([, port]) => port >= first && port <= last);
  const known = new Map(inRange);
  const used = new Set(known.values());
  const assigned = new Map<string, number>();
  for (const name of names) {
    const port = known.get(name);
    if (port !== undefined) assigned.set(name, port);
  }
  let next = Math.max(first - 1, ...used) + 1;
  for (const name of names) {
    if (assigned.has(name)) continue;
    if (next > last) next = first;
    while (used.has(next) && next <= last) next += 1;
    if (next > last) break;
    assigned.set(name, next);
    used.add(next);
    next += 1;
  }
  return assigned;
}
