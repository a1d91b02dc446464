import type { StoredHead } from '#core/caching/stored-head.ts';
import { textHash } from '#platform/text-hash.ts';

/** By what a response was selected among those of its key: equal for those that replace one another. */
export function variantHashOf({ varyNames, varyValues }: StoredHead): number {
  if (varyNames.length === 0) return 0;
  let text = '';
  for (let i = 0; i < varyNames.length; i++) text += `${varyNames[i]}\n${varyValues[i] ?? '\n'}\n`;
  return textHash(text);
}
