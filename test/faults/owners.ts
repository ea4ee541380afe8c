/** Who had the right to write, in the order in which that was seen. */
export interface Owners {
  readonly seen: readonly string[];
  readonly problems: readonly string[];
}

export const noOwners: Owners = { seen: [], problems: [] };

/** The owners after a look; one that had been replaced and writes again is a problem. */
export function afterOwner(owners: Owners, owner: string): Owners {
  const { seen, problems } = owners;
  if (seen.at(-1) === owner) return owners;
  const back = seen.includes(owner)
    ? [`the leader that had epoch ${seen.indexOf(owner) + 1} writes again after ${seen.length - 1} others`]
    : [];
  return { seen: [...seen, owner], problems: [...problems, ...back] };
}

/**
 * What is wrong with what the schedulers say of who leads; empty: all say the same.
 * @param told the leader that each scheduler names
 */
export function leaderFindings(told: ReadonlyMap<string, string | undefined>): readonly string[] {
  const leaders = new Set(told.values());
  if (leaders.size === 1 && !leaders.has(undefined)) return [];
  return [...told].map(([scheduler, leader]) => `${scheduler} says that ${leader ?? 'nobody'} leads`);
}
