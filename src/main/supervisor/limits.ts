/** Bounds of the supervisor, each with its unit and reason. */
export const SUPERVISOR_LIMITS = {
  /** A part must be up within this time at its start, ms. */
  startMs: 60_000,
  /** A part asked to end is killed after this time, ms; edges drain within it. */
  stopMs: 15_000,
  /** Beyond the time that a former process has to end in order, before it is killed, ms. */
  handOverMarginMs: 5_000,
  /**
   * Former processes of one part that may still be answering; a further reload waits until one has ended.
   * Each keeps the memory of a whole part.
   */
  formersMax: 3,
  /** Requests of the bus under way at once; more are answered with nothing, so that a broken part cannot fill memory. */
  requestsMax: 10_000,
  /** Rollups kept while nobody counts them: some 30 MB; later ones are lost. */
  rollupsKept: 100_000,
} as const;
