/** Time, as everything above `platform/` receives it; tests hand in a clock of their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
