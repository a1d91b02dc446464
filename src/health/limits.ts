/** Bounds and thresholds of health. */

export const HEALTH_LIMITS = {
  /** Heartbeats in a row, each within the lease, before an edge that was down counts as up again. */
  heartbeatsToRise: 3,
} as const;
