/** Bounds of the storage room, each with its unit and reason. */
export const STORAGE_LIMITS = {
  /** Smallest budget accepted: below it not even a few pages fit, and the shares below round to nothing. */
  memoryBytesMin: 1024 * 1024,
  /** A response may take this share of the budget: one download must not push out everything else. */
  objectShareOfBudget: 1 / 8,
  /** Largest body whatever the budget: beyond it memory is the wrong tier. */
  objectBytesMax: 64 * 1024 * 1024,
  /** Share of the budget that unfinished fills may hold: slow origins must not empty the cache. */
  fillsShareOfBudget: 1 / 2,
  /** Stored responses under one cache key: a wild Vary must not fill memory or make selection slow. */
  variantsPerKeyMax: 32,
  /**
   * What a stored response costs beside its key, fields and body, in bytes: the objects and the index entry
   * around it. Measured: 100,000 responses of 1 KiB with seven fields live in 2.6 KB each, of which 1.5 KB are
   * body, key and fields.
   */
  overheadBytes: 1_100,
  /** Announced lengths up to this are allocated at once; longer ones grow with what really arrives. */
  allocateAtOnceBytesMax: 1024 * 1024,
  /** First allocation of a body of unknown or long length, in bytes. */
  firstAllocationBytes: 16 * 1024,
  /** Slots for invalidations where nothing is shared: there they matter to groups and paths with several queries alone. */
  ownInvalidationSlots: 16 * 1024,
  /** Largest part handed out by one read of a stored body, in bytes: what a sink takes in one piece. */
  readPartBytesMax: 256 * 1024,
} as const;
