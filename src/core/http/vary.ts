/**
 * Vary (RFC 9110 §12.5.5): the names a response was selected by, and the normal form of request values, in
 * which two values are equal only if they mean the same (RFC 9111 §4.1). Every value loses optional space
 * around its commas; the values of proactive negotiation also lose order, weights of 1 and, where the
 * grammar is case-insensitive, case.
 */
import { VARY_MEMO_CHARACTERS_MAX, VARY_MEMO_NAMES_MAX, VARY_MEMO_VALUES_MAX } from './limits.ts';
import { hasOpenQuote, isDigitCode, isToken, splitList, splitParameters } from './syntax.ts';

/** Lower-case names, sorted, without repetition; null: the response varies on more than fields ("*", or unreadable). */
export function parseVary(value: string | null): readonly string[] | null {
  if (value === null) return [];
  const names = new Set<string>();
  for (const member of splitList(value)) {
    if (member === '*' || !isToken(member)) return null;
    names.add(member.toLowerCase());
  }
  return [...names].sort();
}

/** Whether order and weights of a field's members are preferences, not content. */
const NEGOTIATION_FIELDS = new Set(['accept', 'accept-charset', 'accept-encoding', 'accept-language']);

/** Values seen before, by field: browsers send few spellings, and a hit should not sort lists. */
const MEMO = new Map<string, Map<string, string>>();

/** The normal form of a request field's combined value. `name` in lower case. */
export function normaliseVaryValue(name: string, value: string): string {
  if (value.length > VARY_MEMO_CHARACTERS_MAX) return computeNormalForm(name, value);
  let memo = MEMO.get(name);
  if (memo === undefined) {
    if (MEMO.size >= VARY_MEMO_NAMES_MAX) return computeNormalForm(name, value);
    memo = new Map();
    MEMO.set(name, memo);
  }
  const known = memo.get(value);
  if (known !== undefined) return known;
  const normal = computeNormalForm(name, value);
  if (memo.size >= VARY_MEMO_VALUES_MAX) memo.clear();
  memo.set(value, normal);
  return normal;
}

function computeNormalForm(name: string, value: string): string {
  // Where a quote is never closed nobody knows what the members are: only the same text means the same.
  if (hasOpenQuote(value)) return value;
  const members = splitList(value);
  if (!NEGOTIATION_FIELDS.has(name)) return members.join(',');
  return members
    .map((member) => normalisePreference(name, member))
    .filter((member) => member !== '')
    .sort()
    .join(',');
}

/** One weighted member: parameters without space, weight in its shortest form and left out when 1. */
function normalisePreference(name: string, member: string): string {
  const [first, ...parameters] = splitParameters(member);
  let result = (first ?? '').toLowerCase();
  for (const parameter of parameters) {
    const lower = parameter.toLowerCase();
    if (lower.startsWith('q=')) {
      const weight = shortestWeight(lower.slice(2));
      if (weight !== '1') result += `;q=${weight}`;
    } else {
      // Media type parameters may have values in which case matters.
      result += `;${name === 'accept' ? parameter : lower}`;
    }
  }
  return result;
}

/** `0.50` → `0.5`, `1.000` → `1`, `0.` → `0`; what is no weight stays as it is. */
function shortestWeight(text: string): string {
  if (text.charCodeAt(1) !== 0x2e || !isDigitCode(text.charCodeAt(0))) return text;
  for (let i = 2; i < text.length; i++) if (!isDigitCode(text.charCodeAt(i))) return text;
  let end = text.length;
  while (end > 2 && text.charCodeAt(end - 1) === 0x30) end--;
  return text.slice(0, end === 2 ? 1 : end);
}

/**
 * The one language a user prefers above all others, in lower case, or null when there is none (no field,
 * two with the same weight, or only a wildcard).
 */
export function preferredLanguage(acceptLanguage: string): string | null {
  let best: string | null = null;
  let bestWeight = 0;
  for (const member of splitList(acceptLanguage)) {
    const [language, ...parameters] = splitParameters(member.toLowerCase());
    if (language === undefined) continue;
    const weightText = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const weight = weightText === undefined ? 1 : Number(weightText);
    if (!(weight >= 0 && weight <= 1)) return null;
    if (weight > bestWeight) {
      best = language;
      bestWeight = weight;
    } else if (weight === bestWeight && bestWeight > 0) {
      best = null;
    }
  }
  return best === '*' ? null : best;
}
