/** What fields and targets say: parsers of the pure core, and laws that their results keep. */

import { parseAge, parseRequestDirectives, parseResponseDirectives } from '#core/http/cache-control.ts';
import { evaluatePreconditions, isRangeCurrent, isStrongMatch, isWeakMatch } from '#core/http/conditions.ts';
import { formatHttpDate, parseHttpDate } from '#core/http/dates.ts';
import { Fields } from '#core/http/fields.ts';
import { mediaTypeOf } from '#core/http/media-type.ts';
import { parsePriority } from '#core/http/priority.ts';
import { firstPosition, parseContentRange, parseRanges } from '#core/http/ranges.ts';
import { resolveSameHost } from '#core/http/references.ts';
import { authorityOfTarget, normaliseTarget, parseTarget } from '#core/http/request-target.ts';
import { parseDictionary, parseItem, parseList, serialiseString } from '#core/http/structured-fields.ts';
import { splitList, splitParameters, unquote } from '#core/http/syntax.ts';
import { normaliseVaryValue, parseVary, preferredLanguage } from '#core/http/vary.ts';
import { parseAuthority } from '#edge/connection/authority.ts';
import { type FuzzTarget, latin1, mustBe, mustEqual } from '../target.ts';

const NOW = 784_887_151_000;
const RUNS = 8_000;

interface TextTarget {
  readonly name: string;
  readonly corpus: readonly string[];
  readonly tokens: readonly string[];
  readonly check: (text: string, cut: number) => void;
}

/** A target whose input is latin1 text, as fields are; `cut` is some place in it. */
function textTarget({ name, corpus, tokens, check }: TextTarget): FuzzTarget {
  return {
    name,
    corpus: latin1(...corpus),
    tokens: latin1(...tokens),
    runs: RUNS,
    check: (input, cuts) => check(input.toString('latin1'), cuts[0] ?? input.length),
  };
}

const targets = textTarget({
  name: 'request-target',
  corpus: [
    '/',
    '/a/b/../c/./d?e=f&g',
    '/%2e%2E/%2f%41?%zz%',
    'http://Example.COM:80/a?b',
    'https://[::1]:8443',
    '//a//b/..//',
    '/\xe9?\xff',
    '*',
    'example.com:443',
    '/a/..%2f../%2e./.%2e/',
  ],
  tokens: [
    '/',
    '.',
    '..',
    '/../',
    '/./',
    '%2e',
    '%2E',
    '%2f',
    '%25',
    '%',
    '?',
    '#',
    '//',
    'http://',
    ':',
    '@',
    '\\',
    '[',
    ']',
  ],
  check(text) {
    parseTarget(text);
    authorityOfTarget(text);
    const normal = normaliseTarget(text);
    if (normal !== null) {
      mustEqual('the normal form has itself as its normal form', normaliseTarget(normal), normal);
      mustBe(`it is plain: ${normal}`, /^\/[!-~]*$/.test(normal) && !normal.includes('#'));
      const path = parseTarget(normal)?.path.split('/') ?? ['.'];
      mustBe(`it has no dot segments: ${normal}`, !path.includes('.') && !path.includes('..'));
    }
    const resolved = resolveSameHost(text, '/a/b?c', 'example.com');
    if (resolved !== null)
      mustEqual('references resolve to normal forms', normaliseTarget(resolved), resolved);
    const authority = parseAuthority(text);
    if (authority !== null) mustEqual('an authority is itself', parseAuthority(authority), authority);
  },
});

const structured = textTarget({
  name: 'structured-fields',
  corpus: [
    'a=1, b;c=?0;d="e\\"f", g=(h i;j);k',
    '"text" ;a, token/x:*, 1.5, -999999999999999, :aGVsbG8=:, ?1, @1659578233, %"f%c3%bc"',
    'u=3, i',
    '("a" "b");q=0.5, ()',
    'max-age=100, public',
    '*a.b-c_d',
  ],
  tokens: [
    '=',
    ';',
    ',',
    ', ',
    '"',
    '\\',
    '(',
    ')',
    '?1',
    '?0',
    ':',
    ':YQ==:',
    '@',
    '%"',
    '%',
    '1',
    '-',
    '.',
    'a',
    'A',
    '*',
    ' ',
    '\t',
  ],
  check(text, cut) {
    parseDictionary(text);
    const item = parseItem(text);
    const list = parseList(text);
    if (item !== null) mustEqual('one item is a list of one', list?.length, 1);
    const [first, second] = [parseList(text.slice(0, cut)), parseList(text.slice(cut))];
    if (first !== null && second !== null && first.length > 0 && second.length > 0) {
      const both = parseList(`${text.slice(0, cut)},${text.slice(cut)}`);
      if (first.length + second.length <= 1_024) mustEqual('two lists are one', both, [...first, ...second]);
    }
    const string = parseItem(serialiseString(text));
    mustBe('what we write as a string is one', string !== null);
    const { urgency } = parsePriority(text);
    mustBe('an urgency is 0 to 7', Number.isInteger(urgency) && urgency >= 0 && urgency <= 7);
  },
});

/** Seconds as they may be, and nothing else. */
function mustBeSeconds(name: string, value: unknown): void {
  const isSeconds =
    value === null ||
    value === 'invalid' ||
    (typeof value === 'number' && value >= 0 && (value === Infinity || Number.isInteger(value)));
  mustBe(`${name} is ${value}`, isSeconds);
}

const cacheControl = textTarget({
  name: 'cache-control',
  corpus: [
    'max-age=60, s-maxage=0, stale-while-revalidate=30, stale-if-error="7"',
    'no-cache="set-cookie, x", private="a", no-store, must-understand',
    'public, immutable, no-transform, must-revalidate, proxy-revalidate',
    'max-stale, min-fresh=1, only-if-cached, no-cache',
    'max-age = 5,max-age=99999999999999999999, Max-Age=-1,,; =',
    'private="unclosed, no-store',
    '60, 70',
  ],
  tokens: [
    'no-store',
    'no-cache',
    'private',
    'public',
    'max-age=',
    's-maxage=',
    'max-stale',
    '=',
    '"',
    '\\',
    ',',
    ', ',
    ';',
    ' ',
    '0',
    '60',
  ],
  check(text) {
    const response = parseResponseDirectives(text);
    const more = parseResponseDirectives(`${text}, x=1`);
    for (const name of ['maxAge', 'sMaxAge', 'staleWhileRevalidate', 'staleIfError'] as const) {
      mustBeSeconds(name, response[name]);
    }
    for (const name of ['noStore', 'noCache', 'private', 'mustRevalidate', 'mustUnderstand'] as const) {
      mustBe(`${name} stays whatever else is said`, !response[name] || more[name]);
    }
    const request = parseRequestDirectives(text);
    for (const name of ['maxAge', 'minFresh', 'maxStale'] as const) mustBeSeconds(name, request[name]);
    mustBeSeconds('age', parseAge(text));
  },
});

const ranges = textTarget({
  name: 'ranges',
  corpus: [
    'bytes=0-0',
    'bytes=-5',
    'bytes=5-',
    'Bytes = 1-9007199254740993',
    'bytes=0-1,3-4',
    'bytes=9-1',
    'bytes=-0',
    'lines=1-2',
  ],
  tokens: ['bytes=', '-', '=', ',', '0', '1', '999', ' ', '\t', '--', '+1'],
  check(text) {
    for (const length of [0, 1, 10, 5_000_000_000]) {
      const ranges = parseRanges(text, length);
      if (ranges === null || ranges === 'unsatisfiable') continue;
      let before = -1;
      for (const { start, end } of ranges) {
        mustBe('its ends are whole numbers', Number.isSafeInteger(start) && Number.isSafeInteger(end));
        mustBe(`it lies within: ${start} to ${end} of ${length}`, start < end && end <= length);
        mustBe('it comes after the others', start > before);
        before = end;
      }
    }
    const first = firstPosition(text);
    mustBe('a beginning is a whole number', first === null || Number.isSafeInteger(first));
    const content = parseContentRange(text.replace('=', ' '));
    if (content !== null) mustBe('a part lies in its whole', content.range.end <= content.length);
  },
});

const dates = textTarget({
  name: 'dates',
  corpus: [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    'Fri, 31 Dec 9999 23:59:59 GMT',
    'Sat, 29 Feb 2020 24:60:61 GMT',
    '0',
  ],
  tokens: [
    'Mon',
    'Wednesday',
    'Feb',
    'feb',
    ' GMT',
    ' UTC',
    '00',
    '31',
    '60',
    '-',
    ':',
    ',',
    ' ',
    '  ',
    '1900',
    '9999',
    '0000',
  ],
  check(text) {
    const moment = parseHttpDate(text, NOW);
    if (moment === null) return;
    mustBe('it is a whole second', Number.isSafeInteger(moment) && moment % 1_000 === 0);
    mustEqual('written again, it is the same', parseHttpDate(formatHttpDate(moment), NOW), moment);
  },
});

const NEGOTIATED = ['accept', 'accept-encoding', 'accept-language', 'accept-charset', 'cookie'];

const vary = textTarget({
  name: 'vary',
  corpus: [
    'Accept-Encoding, Cookie',
    '*',
    'gzip;q=1.000, br;q=0.50 , *;q=0',
    'en-GB, en;q=0.9, de;q=0.9, *;q=0.1',
    'text/html;level="1,2";q=0.5, application/*;q=0.',
    'a=b; c="d, e"',
    'text/html; charset=utf-8',
  ],
  tokens: [
    '*',
    ',',
    ', ',
    ';',
    ';q=',
    'q=0.5',
    'Q=1.',
    '"',
    '\\',
    '=',
    ' ',
    '\t',
    'gzip',
    'en',
    '/',
    '/*',
    '0',
    '.',
    '1.000',
  ],
  check(text) {
    const names = parseVary(text);
    if (names !== null) {
      mustEqual(
        'names are sorted, in lower case and there once',
        names,
        [...new Set(names.map((name) => name.toLowerCase()))].sort(),
      );
      mustEqual('and read the same', parseVary(names.join(', ')), names);
    }
    for (const name of NEGOTIATED) {
      const normal = normaliseVaryValue(name, text);
      mustEqual(
        `the normal form of ${name} has itself as its normal form`,
        normaliseVaryValue(name, normal),
        normal,
      );
    }
    preferredLanguage(text);
    const mediaType = mediaTypeOf(text);
    if (mediaType !== null) mustEqual('a media type is itself', mediaTypeOf(mediaType), mediaType);
    const members = splitList(text);
    mustBe('no member is empty', !members.includes(''));
    mustEqual('a list put together is the same list', splitList(members.join(', ')), members);
    for (const member of members) splitParameters(member).map(unquote);
  },
});

const VALIDATORS = { etag: '"abc"', lastModifiedAt: NOW, status: 200 };

const conditions = textTarget({
  name: 'conditions',
  corpus: [
    '"abc"',
    'W/"abc", "def"',
    '*',
    '"a,b" , W/"',
    formatHttpDate(NOW),
    'Sunday, 06-Nov-94 08:49:37 GMT',
    '"abc',
  ],
  tokens: ['"', 'W/', ',', ', ', '*', '"abc"', ' ', '\\', 'GMT'],
  check(text) {
    for (const name of ['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since']) {
      for (const method of ['GET', 'PUT']) {
        const outcome = evaluatePreconditions(method, Fields.of([[name, text]]), VALIDATORS, NOW);
        mustBe(
          `an outcome: ${outcome}`,
          ['proceed', 'not-modified', 'precondition-failed'].includes(outcome),
        );
        mustBe('only readers are spared the body', outcome !== 'not-modified' || method === 'GET');
      }
    }
    isRangeCurrent(text, VALIDATORS, NOW);
    if (isStrongMatch(text, '"abc"')) mustBe('a strong match is a weak one', isWeakMatch(text, '"abc"'));
  },
});

export const FIELD_TARGETS: readonly FuzzTarget[] = [
  targets,
  structured,
  cacheControl,
  ranges,
  dates,
  vary,
  conditions,
];
