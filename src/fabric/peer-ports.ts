/** OpenFlow ports of a mesh: 1 is the one tunnel port of the other mode, from 32768 on are those of endpoints. */
const firstPeerPort = 2;
const lastPeerPort = 32_767;

/**
 * OpenFlow port of each peer by its underlay address. A peer keeps the port that it has; a new one gets the next after
 * the highest in use, so that the port of one that has just left is not at once that of another.
 * @returns fewer than were asked for when the numbers run out: a mesh has at most 32,766 peers
 */
export function assignPeerPorts(
  present: ReadonlyMap<string, number>,
  peers: readonly string[],
): ReadonlyMap<string, number> {
  const assigned = new Map<string, number>();
  const used = new Set(present.values());
  for (const peer of peers) {
    const port = present.get(peer);
    if (port !== undefined) assigned.set(peer, port);
  }
  let next = Math.max(firstPeerPort - 1, ...used) + 1;
  for (const peer of peers) {
    if (assigned.has(peer)) continue;
    if (next > lastPeerPort) next = firstPeerPort;
    while (used.has(next) && next <= lastPeerPort) next += 1;
    if (next > lastPeerPort) break;
    assigned.set(peer, next);
    used.add(next);
    next += 1;
  }
  return assigned;
}
