/** Bounds of this room. Whoever exceeds one gets the answer named beside it, never an error thrown. */

/** Members remembered per memo of normalised values: enough for the spellings browsers send, small against abuse. */
export const VARY_MEMO_VALUES_MAX = 512;
/** Field names with a memo. */
export const VARY_MEMO_NAMES_MAX = 16;
/** Characters of a value worth remembering. */
export const VARY_MEMO_CHARACTERS_MAX = 256;
/** Members of a structured field list or dictionary; more and the field is invalid. */
export const STRUCTURED_MEMBERS_MAX = 1_024;
/** Spellings of field names whose lower-case form is remembered: all that browsers and servers use, many times over. */
export const NAMES_REMEMBERED_MAX = 2_048;
/** Characters of a name worth remembering. */
export const NAME_REMEMBERED_CHARACTERS_MAX = 64;
/** Values of Cache-Control whose meaning is remembered: an origin has few, and some count down by the second. */
export const CACHE_CONTROL_MEMO_VALUES_MAX = 512;
/** Characters of a value worth remembering. */
export const CACHE_CONTROL_MEMO_CHARACTERS_MAX = 256;
/** Ranges read of one request; one with more is answered whole (RFC 9110 §17.15). */
export const RANGES_READ_MAX = 128;
/** Ranges answered, each with a part of its own. */
export const RANGES_MAX = 16;
/** Bytes between two ranges that are sent along, because a part of its own would cost about as many. */
export const RANGE_GAP_BYTES = 128;
