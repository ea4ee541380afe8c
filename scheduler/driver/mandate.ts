/** The right to decide, which a scheduler among others has only while it knows that it still leads. */
export interface Mandate {
  readonly holds: () => boolean;
  /** Calls back whenever `holds` may have become true again; the result ends that. */
  readonly onChange: (listener: () => void) => () => void;
}

/** Of a scheduler that has its store for itself. */
export const soleMandate: Mandate = { holds: () => true, onChange: () => () => undefined };
