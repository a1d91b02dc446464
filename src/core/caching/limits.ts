/** Bounds of the judgement; what exceeds one is treated as the comment beside it says. */

/** Field names in Vary; a response with more is not stored (reason `vary-star`). */
export const VARY_NAMES_MAX = 16;
/** Tags of one response; a response with more is not stored, so that no purge by tag can miss it. */
export const TAGS_MAX = 256;
/** Characters of a tag, as the control plane accepts them; a response with a longer one is not stored. */
export const TAG_CHARACTERS_MAX = 256;
/** A heuristic lifetime never exceeds a day (RFC 9111 §4.2.2 asks for care beyond that), seconds. */
export const HEURISTIC_LIFETIME_SECONDS_MAX = 86_400;
/** Share of the time since Last-Modified (RFC 9111 §4.2.2). */
export const HEURISTIC_FRACTION = 0.1;
/** Purges remembered per site, some 200 bytes each; beyond, the older half becomes one purge of everything before it. */
export const PURGES_PER_SITE_MAX = 10_000;
/** Purges remembered in all, some 40 MB; beyond, the older half does the same, each for its site. */
export const PURGES_TOTAL_MAX = 200_000;
/** The largest age we say (RFC 9111 §1.2.2), seconds. */
export const AGE_SECONDS_MAX = 2_147_483_648;
/** Characters that headers, cookies and the rest may add to a key; a request with more passes the cache by. */
export const KEY_EXTRAS_CHARACTERS_MAX = 2_048;
/** Size of a slice of a large response, bytes; also the largest response that is stored whole when a part is asked for. */
export const SLICE_BYTES = 1_048_576;
/** By how much Date must exceed Last-Modified for that to be a strong validator (RFC 9110 §8.8.2.2), ms. */
export const STRONG_DATE_MS_MIN = 60_000;
