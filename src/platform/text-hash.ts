/** 32 bits of a text for tables that this machine's processes share: the same in all of them, on either runtime of its own. */
import { combine32, hashText } from '#core/base/mix32.ts';

/** Bun's is three times as fast; the two never meet, because only Bun maps memory that others see. */
export const textHash: (text: string, seed?: number) => number =
  typeof Bun === 'undefined'
    ? (text, seed = 0) => (seed === 0 ? hashText(text) : combine32(hashText(text), seed))
    : (text, seed = 0) => Bun.hash.xxHash32(text, seed);
