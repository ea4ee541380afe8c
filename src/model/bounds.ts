/** Instances that an app may have. The numbers of its slots have four digits. */
export const maxInstances = 10_000;

/** Instances that one change may add to what there is, all its apps together: it is carried out as a whole. */
export const maxAddedInstances = 100_000;
