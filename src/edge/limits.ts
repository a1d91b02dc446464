/** Bounds of the road, each with its unit and reason. */
export const ROAD_LIMITS = {
  /** Requests that may wait for one fill: beyond it the edge says 503 rather than holding ever more clients. */
  waitersPerFillMax: 20_000,
  /** Fills under way at a time per worker: each holds an origin request. Beyond it a request goes alone. */
  fillsMax: 20_000,
  /** Times a request looks again after a fill that was not for it, before it goes alone. */
  collapseAttemptsMax: 3,
  /**
   * How long a key whose response could not be shared is fetched by each request alone, in milliseconds.
   * Long enough that a private page is not serialised, short enough that a page made cacheable is noticed.
   */
  uncollapsibleMs: 60_000,
  /** Keys remembered as not worth collapsing; the newest half always, the others are forgotten together. */
  uncollapsibleKeysMax: 16_384,
  /** The same for keys whose responses cannot be had in slices, which cost a request to find out. */
  unsliceableMs: 600_000,
  unsliceableKeysMax: 16_384,
  /** Slices looked for before a range is called a hit; one that needs more is called a partial one. */
  slicesLookedForMax: 64,
  /** How far, in bytes, the fastest reader of a body that is not being stored may be ahead of the slowest. */
  lagBytesMax: 1024 * 1024,
  /** How long one reader may hold up the others of such a body in all, ms; then it is cut off as too slow. */
  heldUpMsMax: 10_000,
  /** Largest body, in bytes, that is dealt with in one step when it came with its head: with that it fits one write. */
  wholeBytesMax: 16 * 1024,
  /** The same where it is stored as well, from where it is sent without a copy: what a socket brings at one time. */
  storedWholeBytesMax: 512 * 1024,
  /** Largest part given to one write of a client, in bytes. */
  readPartBytesMax: 256 * 1024,
  /** Routes of (authority, target) remembered so that a repeated request is not parsed again. */
  routeMemoEntriesMax: 8_192,
  /** A remembered authority or target is at most this long, in characters: bounds the memo's memory. */
  routeMemoCharactersMax: 512,
  /** Types of responses whose settings are remembered for one route. */
  typesPerPlaceMax: 16,
  /** Stored responses whose last hits are remembered; with messages of up to 20 KiB, 10 MiB at most. */
  recentHitsMax: 512,
  /** Sites counted apart within one interval; requests beyond are counted under no site. */
  recordedSitesMax: 100_000,
  /** Responses whose uses are counted at a time (`popular.ts`). */
  popularPlaces: 256,
  /** Characters of a target in an access log line. */
  loggedTargetCharactersMax: 2_048,
  /** Of failures alike of one origin, one is logged per this many milliseconds; kinds remembered for that. */
  failureLogIntervalMs: 10_000,
  failureLogKeysMax: 4_096,
  /** Paths whose No-Vary-Search is remembered. */
  searchRulesMax: 16_384,
  /** How long after a try the geography database is looked for again, ms. */
  geographyRetryMs: 30_000,
  /** Background validations under way per worker; beyond it stale is served without one. */
  backgroundValidationsMax: 1_000,
  /** What a client is told to wait before it asks again, in seconds, when the edge cannot serve yet. */
  retryAfterSeconds: 5,
  /** How long a worker waits at its start for the control plane to tell what it has missed, ms: it may be away. */
  catchUpTimeoutMs: 2_000,
  /** Purges that a worker's journal keeps at least, some 15 MB, and half of what it keeps at most. */
  purgesJournaledMax: 100_000,
  /** How long a close waits for exchanges in flight, in milliseconds. */
  drainMsMax: 10_000,
} as const;

/** Bounds of the trace (`trace-log.ts`). */
export const TRACE_LIMITS = {
  /** Largest file, bytes: some 45 million requests. */
  fileBytesMax: 2 * 1024 ** 3,
  /** How often what was gathered is written, ms. */
  flushMs: 1_000,
  /** And when so many characters have been. */
  flushCharacters: 64 * 1024,
  /** Of what waits to be written; where a disk is slower, lines are lost. */
  bufferCharactersMax: 4 * 1024 * 1024,
  /** Keys whose misses wait for a body's length, and misses of one key. */
  pendingKeysMax: 10_000,
  pendingPerKeyMax: 1_000,
} as const;
