/**
 * Which cache directives count for us: those of the first targeted field that is a valid, non-empty
 * structured dictionary (RFC 9213 §2.2), else those of Surrogate-Control, else those of Cache-Control. A targeted
 * field replaces Cache-Control and Expires as a whole; one that is invalid anywhere is as if it were not there.
 */
import {
  applyDirective,
  noResponseDirectives,
  parseResponseDirectives,
  type ResponseDirectives,
} from '#core/http/cache-control.ts';
import type { FieldReader } from '#core/http/fields.ts';
import { type Member, parseDictionary } from '#core/http/structured-fields.ts';
import { parseSurrogateControl } from './surrogate-control.ts';

/** Our target list (RFC 9213 §2.2), most specific first. */
const TARGETED_FIELDS = ['perigee-cdn-cache-control', 'cdn-cache-control'] as const;

/** Directives whose argument must be an Integer. */
const WITH_SECONDS: ReadonlySet<string> = new Set([
  'max-age',
  's-maxage',
  'stale-if-error',
  'stale-while-revalidate',
]);

export interface EffectiveDirectives {
  readonly directives: ResponseDirectives;
  /** They come from a targeted field, so that Expires does not count either. */
  readonly isTargeted: boolean;
}

export function effectiveDirectives(fields: FieldReader): EffectiveDirectives {
  for (const name of TARGETED_FIELDS) {
    const value = fields.get(name);
    const directives = value === null ? null : parseTargeted(value);
    if (directives !== null) return { directives, isTargeted: true };
  }
  const surrogate = fields.get('surrogate-control');
  const aimed = surrogate === null ? null : parseSurrogateControl(surrogate);
  if (aimed !== null) return { directives: aimed, isTargeted: true };
  return { directives: parseResponseDirectives(fields.get('cache-control')), isTargeted: false };
}

/** Null: invalid, of a wrong type, or empty. */
function parseTargeted(value: string): ResponseDirectives | null {
  const dictionary = parseDictionary(value);
  if (dictionary === null || dictionary.size === 0) return null;
  const directives = noResponseDirectives();
  for (const [name, member] of dictionary) {
    const argument = argumentOf(name, member);
    if (argument === 'invalid') return null;
    if (argument !== 'absent') applyDirective(directives, name, argument.text);
  }
  return directives;
}

type Argument = { readonly text: string | null } | 'absent' | 'invalid';

/** The directive's argument in Cache-Control's form. Parameters are ignored (RFC 9213 §2.1). */
function argumentOf(name: string, member: Member): Argument {
  if (member.kind === 'inner-list') return WITH_SECONDS.has(name) ? 'invalid' : { text: ' ' };
  const { item } = member;
  if (WITH_SECONDS.has(name)) {
    return item.type === 'integer' && item.value >= 0 ? { text: String(item.value) } : 'invalid';
  }
  if (item.type === 'boolean') return item.value ? { text: null } : 'absent';
  return { text: item.type === 'string' || item.type === 'token' ? item.value : ' ' };
}
