/**
 * Cache-Control (RFC 9111 §5.2), read tolerantly where that is safe and strictly where a guess would make
 * a response live longer than its author meant: unknown directives are skipped, a directive that restricts
 * counts whatever its argument looks like, an unreadable lifetime counts as "stale" (§4.2.1), and of a
 * directive given twice the first counts. Quoted arguments never leak directives.
 */
import { ownCopy } from '#core/base/own-copy.ts';
import { CACHE_CONTROL_MEMO_CHARACTERS_MAX, CACHE_CONTROL_MEMO_VALUES_MAX } from './limits.ts';
import { isTokenCode, isWhitespaceCode, parseDeltaSeconds, splitList, unquote } from './syntax.ts';

/** Seconds; `invalid`: the directive is there but unreadable; null: absent. */
export type DirectiveSeconds = number | 'invalid' | null;

/** Directives of a response; lifetimes in seconds. Shared by the responses that say the same. */
export type ResponseDirectives = Readonly<ResponseDirectivesDraft>;

/** The same while they are being read. */
export interface ResponseDirectivesDraft {
  maxAge: DirectiveSeconds;
  sMaxAge: DirectiveSeconds;
  staleWhileRevalidate: DirectiveSeconds;
  staleIfError: DirectiveSeconds;
  noStore: boolean;
  /** The whole response may not be reused without validation. */
  noCache: boolean;
  /** Lower-case names of fields that may not be reused without validation (`no-cache="…"`). */
  noCacheFields: readonly string[];
  private: boolean;
  /** Lower-case names of fields meant for one user (`private="…"`). */
  privateFields: readonly string[];
  public: boolean;
  mustRevalidate: boolean;
  proxyRevalidate: boolean;
  mustUnderstand: boolean;
  noTransform: boolean;
  immutable: boolean;
}

/** Directives of a request. */
export interface RequestDirectives {
  maxAge: DirectiveSeconds;
  minFresh: DirectiveSeconds;
  /** Infinity: `max-stale` without argument, any staleness. */
  maxStale: DirectiveSeconds;
  noCache: boolean;
  noStore: boolean;
  onlyIfCached: boolean;
}

/** Calls `each` with the lower-case name and raw argument (null: none) of every directive. */
function forEachDirective(value: string, each: (name: string, argument: string | null) => void): void {
  for (const member of splitList(value)) {
    let end = 0;
    while (end < member.length && isTokenCode(member.charCodeAt(end))) end++;
    if (end === 0) continue;
    const name = member.slice(0, end).toLowerCase();
    if (end === member.length) each(name, null);
    else if (member.charCodeAt(end) === 0x3d) each(name, member.slice(end + 1));
    // Space before "=", or other text after the name: the directive is named, its argument unreadable.
    else each(name, ' ');
  }
}

export function noResponseDirectives(): ResponseDirectivesDraft {
  return {
    maxAge: null,
    sMaxAge: null,
    staleWhileRevalidate: null,
    staleIfError: null,
    noStore: false,
    noCache: false,
    noCacheFields: [],
    private: false,
    privateFields: [],
    public: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    mustUnderstand: false,
    noTransform: false,
    immutable: false,
  };
}

/** What the values met last say: an origin repeats a few of them in all its responses. */
const MEMO = new Map<string, ResponseDirectives>();
const NONE: ResponseDirectives = Object.freeze(noResponseDirectives());

/** `value`: the combined Cache-Control value, null when the field is absent. Never throws. */
export function parseResponseDirectives(value: string | null): ResponseDirectives {
  if (value === null) return NONE;
  if (value.length > CACHE_CONTROL_MEMO_CHARACTERS_MAX) return readResponseDirectives(value);
  const known = MEMO.get(value);
  if (known !== undefined) return known;
  const own = ownCopy(value);
  const directives = Object.freeze(readResponseDirectives(own));
  // Begun anew when full: values come from strangers, and what is in use is soon back.
  if (MEMO.size >= CACHE_CONTROL_MEMO_VALUES_MAX) MEMO.clear();
  MEMO.set(own, directives);
  return directives;
}

function readResponseDirectives(value: string): ResponseDirectives {
  const directives = noResponseDirectives();
  forEachDirective(value, (name, argument) => applyDirective(directives, name, argument));
  return directives;
}

/** Adds one directive; the first of its name counts, restrictions add up. */
export function applyDirective(
  directives: ResponseDirectivesDraft,
  name: string,
  argument: string | null,
): void {
  switch (name) {
    case 'max-age':
      directives.maxAge ??= seconds(argument);
      break;
    case 's-maxage':
      directives.sMaxAge ??= seconds(argument);
      break;
    case 'stale-while-revalidate':
      directives.staleWhileRevalidate ??= seconds(argument);
      break;
    case 'stale-if-error':
      directives.staleIfError ??= seconds(argument);
      break;
    case 'no-cache':
      applyFieldList(argument, (names) => {
        if (names === null) directives.noCache = true;
        else directives.noCacheFields = [...directives.noCacheFields, ...names];
      });
      break;
    case 'private':
      applyFieldList(argument, (names) => {
        if (names === null) directives.private = true;
        else directives.privateFields = [...directives.privateFields, ...names];
      });
      break;
    default:
      applyFlag(directives, name);
  }
}

function applyFlag(directives: ResponseDirectivesDraft, name: string): void {
  switch (name) {
    case 'no-store':
      directives.noStore = true;
      break;
    case 'public':
      directives.public = true;
      break;
    case 'must-revalidate':
      directives.mustRevalidate = true;
      break;
    case 'proxy-revalidate':
      directives.proxyRevalidate = true;
      break;
    case 'must-understand':
      directives.mustUnderstand = true;
      break;
    case 'no-transform':
      directives.noTransform = true;
      break;
    case 'immutable':
      directives.immutable = true;
      break;
  }
}

/** Hands on the listed names, or null when the directive is about the whole response. */
function applyFieldList(argument: string | null, apply: (names: readonly string[] | null) => void): void {
  const text = argument === null ? null : (unquote(argument) ?? argument);
  const names = text === null ? [] : splitList(text).map((name) => name.toLowerCase());
  // An argument that names nothing readable is taken as the stricter meaning.
  const areNames = names.length > 0 && names.every((name) => isFieldName(name));
  apply(areNames ? names : null);
}

function isFieldName(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (!isTokenCode(name.charCodeAt(i))) return false;
  return name.length > 0;
}

function seconds(argument: string | null): DirectiveSeconds {
  if (argument === null) return 'invalid';
  return parseDeltaSeconds(unquote(argument) ?? argument) ?? 'invalid';
}

/** `value`: the combined Cache-Control value of a request. Never throws. */
export function parseRequestDirectives(value: string): RequestDirectives {
  const directives: RequestDirectives = {
    maxAge: null,
    minFresh: null,
    maxStale: null,
    noCache: false,
    noStore: false,
    onlyIfCached: false,
  };
  forEachDirective(value, (name, argument) => {
    switch (name) {
      case 'max-age':
        directives.maxAge ??= seconds(argument);
        break;
      case 'min-fresh':
        directives.minFresh ??= seconds(argument);
        break;
      case 'max-stale':
        directives.maxStale ??= argument === null ? Number.POSITIVE_INFINITY : seconds(argument);
        break;
      case 'no-cache':
        directives.noCache = true;
        break;
      case 'no-store':
        directives.noStore = true;
        break;
      case 'only-if-cached':
        directives.onlyIfCached = true;
        break;
    }
  });
  return directives;
}

/** The first member of an Age field in seconds; 0 when absent or unreadable (RFC 9111 §5.1). */
export function parseAge(value: string | null): number {
  if (value === null) return 0;
  let end = 0;
  while (end < value.length && value.charCodeAt(end) !== 0x2c && value.charCodeAt(end) !== 0x3b) end++;
  let start = 0;
  while (start < end && isWhitespaceCode(value.charCodeAt(start))) start++;
  while (end > start && isWhitespaceCode(value.charCodeAt(end - 1))) end--;
  return parseDeltaSeconds(value.slice(start, end)) ?? 0;
}
