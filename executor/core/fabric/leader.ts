/** What is known of where the leading scheduler's API is. */
export interface LeaderKnowledge {
  /** The announcement with the highest term. */
  readonly elected?: { readonly url: string; readonly term: number };
  /** The newest address that came without a term (a task's launch, a redirect): tried second. */
  readonly hint?: string;
}

/** The knowledge after an announcement. An older term changes nothing; of the same term the later one wins. */
export function learnLeader(known: LeaderKnowledge, url: string, term: number | undefined): LeaderKnowledge {
  const clean = url.replace(/\/+$/, '');
  if (term === undefined) return known.elected?.url === clean ? known : { ...known, hint: clean };
  if (known.elected !== undefined && term < known.elected.term) return known;
  const { hint, ...rest } = known;
  return {
    ...rest,
    ...(hint === undefined || hint === clean ? {} : { hint }),
    elected: { url: clean, term },
  };
}

/** The addresses to try, best first; at most two. */
export const leaderCandidates = (known: LeaderKnowledge): readonly string[] =>
  [known.elected?.url, known.hint].filter((url): url is string => url !== undefined);

/** What is kept on disk; undefined when the text is not such knowledge. */
export function parseLeader(value: unknown): LeaderKnowledge | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  const { elected, hint } = value as { elected?: unknown; hint?: unknown };
  const { url, term } = (elected ?? {}) as { url?: unknown; term?: unknown };
  return {
    ...(typeof url === 'string' && typeof term === 'number' ? { elected: { url, term } } : {}),
    ...(typeof hint === 'string' ? { hint } : {}),
  };
}
