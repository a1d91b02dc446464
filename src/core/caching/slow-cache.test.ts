/** The judgement against a slow model of it, over whole lives of a URL: what chance makes of sites, users and origins. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { formatHttpDate } from '#core/http/dates.ts';
import { Fields } from '#core/http/fields.ts';
import { type CacheSettings, resolveSettings } from '#core/model/cache-settings.ts';
import { ruleSchema, siteSchema } from '#core/model/site.ts';
import { admit } from './admit.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { EXAMPLE_AT } from './example-head.cases.ts';
import { freshen } from './freshen.ts';
import { currentAgeSeconds } from './freshness.ts';
import { selectStored } from './select.ts';
import {
  type Answered,
  type Asked,
  isKept,
  type SaidByOrigin,
  type SaidByUser,
  type Says,
  SlowCache,
  type Verdict,
} from './slow-cache.cases.ts';
import type { StoredHead } from './stored-head.ts';

const RUNS = 5_000;

const seconds = fc.integer({ min: 0, max: 12 });
/** Twice in three times it is there. */
const often = <Value, Nothing>(value: fc.Arbitrary<Value>, nothing: Nothing) =>
  fc.oneof({ weight: 2, arbitrary: value }, { weight: 1, arbitrary: fc.constant(nothing) });
/** Once in four. */
const seldom = <Value, Nothing>(value: fc.Arbitrary<Value>, nothing: Nothing) =>
  fc.oneof({ weight: 1, arbitrary: value }, { weight: 3, arbitrary: fc.constant(nothing) });
const flag = fc.oneof(
  { weight: 1, arbitrary: fc.constant(true as const) },
  { weight: 7, arbitrary: fc.constant(undefined) },
);

const saidByOrigin: fc.Arbitrary<SaidByOrigin> = fc.record({
  noStore: flag,
  noCache: flag,
  private: flag,
  public: flag,
  mustRevalidate: flag,
  proxyRevalidate: flag,
  sMaxAge: seldom(seconds, undefined),
  maxAge: often(seconds, undefined),
  staleWhileRevalidate: seldom(seconds, undefined),
  staleIfError: seldom(seconds, undefined),
});

const saidByUser: fc.Arbitrary<SaidByUser> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 2,
    arbitrary: fc.record({
      noStore: flag,
      noCache: flag,
      onlyIfCached: flag,
      maxAge: seldom(seconds, undefined),
      minFresh: seldom(seconds, undefined),
      maxStale: seldom(fc.oneof(seconds, fc.constant(Number.POSITIVE_INFINITY)), undefined),
    }),
  },
);

const asked: fc.Arbitrary<Asked> = fc.record({
  method: fc.oneof(
    { weight: 8, arbitrary: fc.constant('GET' as const) },
    { weight: 1, arbitrary: fc.constantFrom('HEAD' as const, 'PUT' as const) },
  ),
  said: saidByUser,
  hasAuthorization: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
  language: fc.constantFrom(null, 'de', 'fr'),
});

const answered: fc.Arbitrary<Omit<Answered, 'id'>> = fc.record({
  status: fc.constantFrom(200, 200, 200, 200, 203, 301, 302, 404, 410, 403, 500, 503),
  said: saidByOrigin,
  dateAgo: often(fc.integer({ min: 0, max: 4 }), null),
  age: seldom(fc.integer({ min: 0, max: 8 }), null),
  etag: often(fc.constantFrom('"a"', 'W/"b"'), null),
  modifiedAgo: seldom(fc.integer({ min: 0, max: 200 }), null),
  expiresIn: seldom(fc.integer({ min: -4, max: 12 }), null),
  variesOnLanguage: fc.boolean(),
  setsCookie: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
});

const says: fc.Arbitrary<Says> = fc.record({
  mode: fc.constantFrom('respect-origin', 'respect-origin', 'override-origin', 'bypass'),
  ttl: seldom(seconds, null),
  ttlOf404: seldom(seconds, null),
  setCookie: fc.constantFrom('explicit', 'shared', 'strip', 'never'),
  isDeaf: fc.boolean(),
  staleWhileRevalidate: fc.constantFrom(0, 0, 5),
  staleIfError: fc.constantFrom(0, 5, 20),
});

interface Step {
  readonly wait: number;
  readonly delay: number;
  readonly asked: Asked;
  readonly answered: Omit<Answered, 'id'>;
  /** Whether the origin says 304 where it is asked conditionally. */
  readonly isUnchanged: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  wait: fc.integer({ min: 0, max: 9 }),
  delay: fc.integer({ min: 0, max: 2 }),
  asked,
  answered,
  isUnchanged: fc.boolean(),
});

const NAMES: Readonly<Record<string, string>> = {
  ...{ noStore: 'no-store', noCache: 'no-cache', private: 'private', public: 'public', sMaxAge: 's-maxage' },
  ...{ mustRevalidate: 'must-revalidate', proxyRevalidate: 'proxy-revalidate', maxAge: 'max-age' },
  ...{ staleWhileRevalidate: 'stale-while-revalidate', staleIfError: 'stale-if-error' },
  ...{ onlyIfCached: 'only-if-cached', minFresh: 'min-fresh', maxStale: 'max-stale' },
};

/** As a field says it; null: nothing. */
function written(said: SaidByOrigin | SaidByUser): string | null {
  const directives = Object.entries(said)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) =>
      value === true || value === Number.POSITIVE_INFINITY ? NAMES[name] : `${NAMES[name]}=${value}`,
    );
  return directives.length === 0 ? null : directives.join(', ');
}

function fieldsOf(lines: Readonly<Record<string, string | number | null>>): Fields {
  const present = Object.entries(lines).filter(([, value]) => value !== null);
  return Fields.of(present.map(([name, value]) => [name, String(value)]));
}

const requestFields = ({ said, hasAuthorization, language }: Asked): Fields =>
  fieldsOf({
    'Cache-Control': written(said),
    Authorization: hasAuthorization ? 'Basic eA==' : null,
    'Accept-Language': language,
  });

const dated = (at: number, offset: number | null): string | null =>
  offset === null ? null : formatHttpDate(at + offset * 1000);

function responseFields(from: Answered, respondedAt: number): Fields {
  const dateAt = respondedAt - (from.dateAgo ?? 0) * 1000;
  return fieldsOf({
    'Cache-Control': written(from.said),
    Date: dated(respondedAt, from.dateAgo === null ? null : -from.dateAgo),
    Age: from.age,
    ETag: from.etag,
    'Last-Modified': dated(dateAt, from.modifiedAgo === null ? null : -from.modifiedAgo),
    Expires: dated(dateAt, from.expiresIn),
    Vary: from.variesOnLanguage ? 'Accept-Language' : null,
    'Set-Cookie': from.setsCookie ? 'a=b' : null,
    'X-Id': from.id,
  });
}

function settingsFor(site: Says): CacheSettings {
  const rule = ruleSchema.parse({
    mode: site.mode,
    edgeTtlSeconds: site.ttl,
    statusTtls: site.ttlOf404 === null ? [] : [{ status: '404', seconds: site.ttlOf404 }],
    setCookie: site.setCookie,
    requestDirectives: site.isDeaf ? 'ignore' : 'honour',
    staleWhileRevalidateSeconds: site.staleWhileRevalidate,
    staleIfErrorSeconds: site.staleIfError,
  });
  const shop = siteSchema.parse({ id: 'shop', hosts: ['a.example'], origins: [{ url: 'http://192.0.2.1' }] });
  return resolveSettings(shop, rule, rule);
}

const idOf = (head: StoredHead): number => Number(head.fields.get('x-id'));

function asVerdict(decision: Decision): object {
  switch (decision.action) {
    case 'reuse':
      return { is: 'reuse', id: idOf(decision.selected), isStale: decision.isStale };
    case 'reuse-and-revalidate':
      return { is: 'reuse-and-revalidate', id: idOf(decision.selected) };
    case 'validate':
      return { is: 'validate', id: idOf(decision.selected), coversDisconnect: decision.mayServeStaleOnError };
    case 'forward':
      return { is: 'forward', mayKeep: decision.mayStore, mayShare: decision.mayCollapse };
    case 'refuse':
      return { is: 'refuse' };
  }
}

function plain(verdict: Verdict): object {
  if (!('kept' in verdict)) return verdict;
  const { kept, ...rest } = verdict;
  return { ...rest, id: kept.answered.id };
}

/** The same life through both: every decision and every admission must agree. */
function live(site: Says, steps: readonly Step[]): void {
  const settings = settingsFor(site);
  const slow = new SlowCache(site);
  let heads: StoredHead[] = [];
  let now = EXAMPLE_AT;
  for (const [index, { wait, delay, asked: request, answered: given, isUnchanged }] of steps.entries()) {
    now += wait * 1000;
    const answer: Answered = { ...given, id: index };
    const fields = requestFields(request);
    const selected = heads[selectStored(fields, heads)] ?? null;
    const decision = decide({
      method: request.method,
      fields,
      hasBody: false,
      hasClientCertificate: false,
      selected,
      hasVariants: heads.length > 0,
      target: '/',
      settings,
      now,
    });
    const verdict = slow.judge(request, now);
    expect(asVerdict(decision)).toEqual(plain(verdict));
    const known = slow.select(request);
    if (selected !== null && known !== null) {
      expect(currentAgeSeconds(selected, now)).toBe(slow.factsOf(known, now).age);
    }
    if (verdict.is !== 'validate' && verdict.is !== 'forward') continue;

    const times = { requestedAt: now, respondedAt: now + delay * 1000 };
    now = times.respondedAt;
    const hasValidator =
      known !== null && (known.answered.etag !== null || known.answered.modifiedAgo !== null);
    if (
      verdict.is === 'validate' &&
      request.method === 'GET' &&
      isUnchanged &&
      hasValidator &&
      selected !== null
    ) {
      const update = { ...answer, etag: null, modifiedAgo: null, expiresIn: null, setsCookie: false };
      const lines = responseFields(update, now);
      for (const name of ['vary', 'x-id']) lines.delete(name);
      heads = heads.map((head) =>
        head === selected ? freshen(head, { responseFields: lines, ...times, settings }) : head,
      );
      slow.freshen(verdict.kept, answer, times);
      continue;
    }
    const admission = admit({
      method: request.method,
      requestFields: fields,
      hasClientCertificate: false,
      status: answer.status,
      reason: '',
      responseFields: responseFields(answer, now),
      ...times,
      settings,
      host: 'a.example',
      path: '/',
      purgePosition: 0,
      sequence: 0,
    });
    const isAdmitted = admission.action === 'store';
    expect({ id: index, isAdmitted }).toEqual({ id: index, isAdmitted: isKept(request, answer, site) });
    const mayKeep = verdict.is === 'validate' ? request.method === 'GET' : verdict.mayKeep;
    if (!isAdmitted || !mayKeep) continue;
    const { head } = admission;
    const isSame = (other: StoredHead): boolean =>
      other.varyNames.join() === head.varyNames.join() && other.varyValues.join() === head.varyValues.join();
    heads = [head, ...heads.filter((other) => !isSame(other))];
    slow.keep({ answered: answer, language: request.language, ...times });
  }
}

test('DE5 DE8 AD12 FR3 every decision of a URL’s life is that of the slow model', () => {
  const lives = fc.property(says, fc.array(step, { minLength: 2, maxLength: 8 }), live);
  fc.assert(lives, { numRuns: RUNS });
});
