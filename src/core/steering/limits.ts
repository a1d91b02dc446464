/** Bounds of steering. */

export const STEERING_LIMITS = {
  /** POPs kept per place in the cache of candidate orders; a client whose nearest 32 are all down is ranked anew. */
  orderPopsMax: 32,
  /** 16-bit entries in that cache in all (16 MB); when it is full it starts again. */
  orderEntriesMax: 8_000_000,
  /** Addresses in one answer, at most. */
  answerAddressesMax: 8,
  /** Edges of a POP (the model's bound), for the scratch memory of a choice. */
  popEdgesMax: 64,
} as const;
