/** Bounds of the storage room, each with its unit and reason. */
export const STORAGE_LIMITS = {
  /** Smallest budget accepted: below it not even a few pages fit, and the shares below round to nothing. */
  memoryBytesMin: 1024 * 1024,
  /** A response may take this share of the budget: one download must not push out everything else. */
  objectShareOfBudget: 1 / 8,
  /** The same where only large bodies are kept. */
  largeObjectShareOfBudget: 1 / 2,
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
  /** Largest body in shared memory, bytes: most requests are for smaller ones, and a larger one costs many of them. */
  sharedObjectBytesMax: 256 * 1024,
  /** What a worker's fills under way for shared memory may hold in its own, bytes. */
  sharedFillBytesMax: 64 * 1024 * 1024,
  /** Share of shared memory's budget that each worker may take for copies of what was used of late. */
  recentShareOfBudget: 1 / 16,
  /** What is left free on the file system that shared memory is made on, bytes. */
  sharedMemoryFreeBytesMin: 8 * 1024 * 1024,
  /** Smallest disk accepted, bytes: a few segments. */
  diskBytesMin: 64 * 1024 * 1024,
  /** A response may take this share of a disk: one of them must not push out everything else. */
  objectShareOfDisk: 1 / 4,
  /** Largest body on a disk, bytes: each of its chunks has a place in the index. */
  diskObjectBytesMax: 64 * 1024 ** 3,
  /** What is gathered before it is written to a disk, bytes: above the largest record. */
  diskBufferBytes: 2 * 1024 * 1024,
  /** How long a record waits for others to be written with, ms. */
  diskFlushMs: 50,
  /** What may wait to be written to a disk, bytes: a slow one takes no more, and nobody waits for it. */
  diskPendingBytesMax: 32 * 1024 * 1024,
  /** What each worker may take for copies of heads and small bodies that it read of a disk of late, bytes. */
  diskRecentBytesMax: 16 * 1024 * 1024,
  /** Of one of a worker's files about what was removed, bytes: a million removals. */
  removalFileBytesMax: 16 * 1024 * 1024,
  /** How long a disk is waited for before the origin is asked instead, or a body passed on without being stored, ms. */
  diskPatienceMs: 2_000,
  /** How long a part of a body that is being sent is waited for, ms: then the body breaks off. */
  diskReadMsMax: 30_000,
  /** How long a disk that failed is left alone, ms. */
  diskRetryMs: 10_000,
  /** How often what other workers left is looked for, ms. */
  diskCareMs: 5_000,
  /** A worker that waits so long for another's lock gives up, ms: sections last microseconds. */
  lockWaitMsMax: 1_000,
  /** Looks at a bucket that is changing before it counts as empty: a change takes microseconds. */
  readAttemptsMax: 1_000,
  /** Slots for invalidations where nothing is shared: there they matter to groups and paths with several queries alone. */
  ownInvalidationSlots: 16 * 1024,
  /** Largest part handed out by one read of a stored body, in bytes: what a sink takes in one piece. */
  readPartBytesMax: 256 * 1024,
} as const;
