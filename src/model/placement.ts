/**
 * Which of the hosts that would do an app prefers. spread: the one with the fewest instances of the app, then with the
 * most room. binpack: the one with the least room.
 */
export const placements = ['spread', 'binpack'] as const;

export type Placement = (typeof placements)[number];

/** The label by which an app says it for itself. */
export const placementLabel = 'patchpanel.placement';

/** What the labels say, or `fallback` when they do not. */
export function placementOf(labels: Readonly<Record<string, string>>, fallback: Placement): Placement {
  return placements.find((each) => each === labels[placementLabel]) ?? fallback;
}

/** What is wrong with the label, if anything. */
export function placementProblem(labels: Readonly<Record<string, string>>): string | undefined {
  const given = labels[placementLabel];
  return given === undefined || placements.some((each) => each === given)
    ? undefined
    : `must be one of ${placements.join(', ')}`;
}
