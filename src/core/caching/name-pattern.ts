/** Names, or `name=value`, of query parameters and cookies, as sites write them with `*`. */
import { matchesGlob } from '#core/base/glob.ts';
import type { NamePattern } from '#core/model/cache-settings.ts';

export function matchesPattern(patterns: readonly NamePattern[], name: string, value: string): boolean {
  for (const { glob, isNameOnly } of patterns) {
    if (matchesGlob(glob, isNameOnly ? name : `${name}=${value}`)) return true;
  }
  return false;
}
