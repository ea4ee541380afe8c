/** The match on a network; `vni` is 1 … 2^20-1. */
export const networkMatch = (vni: number): string => `reg0=0x${vni.toString(16)}`;
