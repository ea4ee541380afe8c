/**
 * In which order to try the servers: beginning anywhere, so that sessions spread over them, and last the one that was
 * just lost, which may hang and cost the session the time that it has left.
 */
export function attemptOrder<Server>(
  servers: readonly Server[],
  lost: Server | undefined,
  random: () => number,
): readonly Server[] {
  const others = servers.filter((server) => server !== lost);
  const first = Math.floor(random() * others.length);
  const lastOnes = servers.filter((server) => server === lost);
  return [...others.slice(first), ...others.slice(0, first), ...lastOnes];
}
