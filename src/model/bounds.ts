/** Instances that an app may have. The numbers of its slots have four digits. */
export const maxInstances = 10_000;

/** A hundred years: as long as anything in a definition may take. Mesos's durations count to 146. */
export const maxSeconds = 100 * 365 * 86_400;

/** A day: what one probe of a check may take. The timers of probes count to 24 days. */
export const maxProbeSeconds = 86_400;

/** Instances that one change may add to what there is, all its apps together: it is carried out as a whole. */
export const maxAddedInstances = 100_000;
