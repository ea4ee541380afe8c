/** One round of a garbage collection in two passes. */
export interface GarbageRound {
  /** Unwanted in this round and in the one before: to be removed. */
  readonly remove: readonly string[];
  /** Unwanted in this round only: to be handed to the next one. */
  readonly suspects: ReadonlySet<string>;
}

/** Of what was found, what nobody wants for the second time in a row; a thing under construction gets its chance. */
export function collectGarbage(
  found: Iterable<string>,
  wanted: ReadonlySet<string>,
  suspects: ReadonlySet<string>,
): GarbageRound {
  const unwanted = [...new Set(found)].filter((name) => !wanted.has(name));
  return {
    remove: unwanted.filter((name) => suspects.has(name)),
    suspects: new Set(unwanted.filter((name) => !suspects.has(name))),
  };
}
