/** Field names as HTTP/2 has them: tokens in lower case (RFC 9113 §8.2.1). */
import { isToken } from '../connection/characters.ts';

/** Names judged to be well formed, so that the usual ones are not looked at letter by letter again. */
const GOOD = new Set<string>();
const GOOD_NAMES_MAX = 1_024;
const GOOD_CHARACTERS_MAX = 64;

export function isFieldName(name: string): boolean {
  if (GOOD.has(name)) return true;
  if (!isToken(name) || hasUpperCase(name)) return false;
  // Bounded: names come from strangers.
  if (GOOD.size < GOOD_NAMES_MAX && name.length <= GOOD_CHARACTERS_MAX) GOOD.add(name);
  return true;
}

function hasUpperCase(name: string): boolean {
  for (let i = 0; i < name.length; i += 1) {
    const code = name.charCodeAt(i);
    if (code >= 65 && code <= 90) return true;
  }
  return false;
}
