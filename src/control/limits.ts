/** Every bound of the control plane, with its reason. Bounds on the model itself are in `core/model`. */
export const CONTROL_LIMITS = {
  /** Tokens at once: one per person and machine that uses the API; more is a script gone wrong. */
  tokensMax: 1_000,
  /** How long an edge may take to apply a purge before it counts as not having done so, ms. */
  purgeTimeoutMs: 5_000,
  /** Purges waiting for edges at once; each holds one open request. */
  purgesInFlightMax: 1_000,
  /** Purges kept in the log; edges hold the whole log only as epochs, so old ones serve people alone. */
  purgesKept: 100_000,
  /** How long parts may take to say how they are, ms: longer than any pause of a healthy process. */
  statusTimeoutMs: 1_000,
  /** Answers to "how are you" are used again for this long, ms: /health and /metrics are open to all. */
  statusReuseMs: 250,
  /** How often the parts are looked at when nobody asks, ms: what they hold may not be what we published. */
  partsLookMs: 10_000,
  /** How long a change waits for the parts to have it in force before the API answers all the same, ms. */
  settleTimeoutMs: 2_000,
  /** How long a round of publishing waits for changes that come together, ms: each round compiles everything. */
  publishGatherMs: 5,
  /** How long one look at the parts waits for those that do not answer, ms. */
  settleReplyMs: 500,
  /** Pause between two looks at whether a change is in force, ms. */
  settlePollMs: 20,
  /** How long the name server and edges may take to explain a URL, ms. */
  explainTimeoutMs: 2_000,
  /** Failed authentications of one address per minute, after which the answer is 429. */
  authFailuresPerMinuteMax: 30,
  /** Addresses whose failures are remembered; the least recent is forgotten first. */
  authAddressesMax: 10_000,
  /** Characters of an Authorization field that are looked at; our tokens have 51. */
  authorizationCharactersMax: 256,
  /** Rows of traffic gathered in memory between two writes; the counts of further ones are lost. */
  trafficRowsPendingMax: 50_000,
  /** Rollups of one message that are counted; an edge sends one per site and interval. */
  rollupsPerMessageMax: 100_000,
  /** How often gathered traffic is written, ms: what a crash of this process may lose. */
  trafficFlushMs: 5_000,
  /** How often traffic past its days is deleted, ms. */
  trafficPruneMs: 3_600_000,
  /** Sites whose counters the live window keeps per step; the traffic of further ones is in the totals. */
  liveSitesMax: 1_000,
  /** Label pairs (site, POP) for /metrics; later ones are added up under "other". */
  metricSeriesMax: 20_000,
  /** Different metrics taken from one part's answer. */
  metricsPerPartMax: 500,
  /** Leaves are looked through for renewal this often, ms. */
  certificateCheckMs: 3_600_000,
  /** Files of the console kept compressed in memory: its pages, scripts and styles, not more. */
  staticFilesKept: 64,
  /** Largest file of the console that is compressed in memory, bytes. */
  staticFileBytesMax: 8 << 20,
  /** Largest body the server reads at all, bytes: above the largest that any operation allows. */
  requestBytesMax: (16 << 20) + 1_024,
  /** A connection without a byte for this long is closed, s: longer than the slowest purge. */
  idleTimeoutSeconds: 30,
  /** Requests are let finish for this long when the control plane closes, ms. */
  closeTimeoutMs: 2_000,
  /** A query of the database waits this long for another process (a backup) to let go of it, ms. */
  databaseBusyMs: 5_000,
} as const;
