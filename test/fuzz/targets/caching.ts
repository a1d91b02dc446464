/** What a request puts into the cache key, and what Surrogate-Control says: parsers, and laws that their results keep. */
import { keyTargetOf } from '#core/caching/cache-key.ts';
import { parseSurrogateControl } from '#core/caching/surrogate-control.ts';
import { cookiesOf } from '#core/http/cookies.ts';
import { Fields } from '#core/http/fields.ts';
import { parseQuery, queryOf } from '#core/http/query.ts';
import { normaliseTarget } from '#core/http/request-target.ts';
import { type QueryKey, settingsOf } from '#core/model/cache-settings.ts';
import { type SiteInput, siteSchema } from '#core/model/site.ts';
import { type FuzzTarget, latin1, mustBe, mustEqual } from '../target.ts';

const RUNS = 4_000;

function queryKey(query: NonNullable<NonNullable<SiteInput['cacheKey']>['query']>): QueryKey | null {
  const origins = [{ url: 'http://192.0.2.1' }];
  const site = siteSchema.parse({ id: 'shop', hosts: ['a.example'], origins, cacheKey: { query } });
  return settingsOf(site, '/', null).queryKey;
}

const KEYS = [
  queryKey({ sorted: true }),
  queryKey({ include: 'none' }),
  queryKey({ include: 'only', names: ['a', 'b*'] }),
  queryKey({ include: 'except', names: ['utm_*', 'a=1'], sorted: true }),
];

function partsOf(target: string): string[] {
  const query = queryOf(target);
  return query === null ? [] : parseQuery(query).map(({ text }) => text);
}

const cacheKey: FuzzTarget = {
  name: 'cache-key',
  corpus: latin1('/a?b=1&a=2&a=1&utm_x=3', '/?&&=&a', '/a', '/?', '/a?b=c=d?e&B=%26'),
  tokens: latin1('?', '&', '=', 'a', 'b', 'utm_', 'a=1', '%26', '/'),
  runs: RUNS,
  check(input) {
    const target = normaliseTarget(input.toString('latin1'));
    if (target === null) return;
    const given = partsOf(target);
    for (const key of KEYS) {
      const kept = keyTargetOf(target, key);
      mustEqual('what is in the key stays in it', keyTargetOf(kept, key), kept);
      mustEqual('it is a normal form', normaliseTarget(kept), kept);
      const left = [...given];
      for (const text of partsOf(kept)) {
        const at = left.indexOf(text);
        mustBe('it has only what was given, and no more often', at !== -1);
        left.splice(at, 1);
      }
    }
  },
};

const cookies: FuzzTarget = {
  name: 'cookies',
  corpus: latin1('a=1; b=2', ' a ; =b;;c="d;e"', 'a=b=c;\ta=1'),
  tokens: latin1(';', '; ', '=', '"', 'a', ',', '\t', ' '),
  runs: RUNS,
  check(input) {
    const text = input.toString('latin1');
    const read = cookiesOf(Fields.of([['Cookie', text]]));
    const twice = cookiesOf(
      Fields.of([
        ['Cookie', text],
        ['cookie', text],
      ]),
    );
    mustEqual('each line is read by itself', twice, [...read, ...read]);
    mustBe(
      'every cookie has a name',
      read.every(({ name }) => name !== '' && !name.includes(';')),
    );
  },
};

const surrogateControl: FuzzTarget = {
  name: 'surrogate-control',
  corpus: latin1(
    'max-age=600+30;perigee, no-store;other',
    'content="ESI/1.0", no-store-remote',
    'max-age=+1, private',
  ),
  tokens: latin1('max-age=', '+', ';', ',', '"', 'perigee', 'no-store', '1', ' '),
  runs: RUNS,
  check(input) {
    const text = input.toString('latin1');
    const read = parseSurrogateControl(text);
    const forbidden = parseSurrogateControl(`no-store, ${text}`);
    mustBe('no-store for all counts whatever follows', forbidden?.noStore === true);
    mustBe(
      'it says something, or nothing',
      read === null || read.maxAge !== null || read.noStore || read.private,
    );
  },
};

export const CACHING_TARGETS: readonly FuzzTarget[] = [cacheKey, cookies, surrogateControl];
