/** 32 bits of a text for tables that this machine's processes share: the same in all of them, on either runtime of its own. */
import { hashText } from '#core/base/mix32.ts';

/** Bun's is three times as fast; the two never meet, because only Bun maps memory that others see. */
export const textHash: (text: string) => number =
  typeof Bun === 'undefined' ? hashText : (text) => Bun.hash.xxHash32(text);
