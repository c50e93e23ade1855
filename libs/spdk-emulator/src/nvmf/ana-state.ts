/** States that a listener's ANA groups can be in. */
export const ANA_STATES = ["optimized", "non_optimized", "inaccessible"] as const;
export type AnaState = (typeof ANA_STATES)[number];
