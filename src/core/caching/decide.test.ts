import { describe, expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { resolveSettings } from '#core/model/cache-settings.ts';
import { type Rule, ruleSchema, siteSchema } from '#core/model/site.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { EXAMPLE_AT, exampleHead } from './example-head.cases.ts';
import type { StoredHead } from './stored-head.ts';

const SITE = siteSchema.parse({
  id: 'shop',
  hosts: ['www.example.com'],
  origins: [{ url: 'http://192.0.2.1' }],
  staleIfErrorSeconds: 100,
});
const PATIENT_SITE = { ...SITE, staleWhileRevalidateSeconds: 30 };
const BYPASS: Rule = ruleSchema.parse({ mode: 'bypass' });
const KEEP: Rule = ruleSchema.parse({ edgeTtlSeconds: 5 });
const DEAF: Rule = ruleSchema.parse({ requestDirectives: 'ignore' });
const WATCHFUL: Rule = ruleSchema.parse({
  bypassWhen: { headers: ['X-Preview'], cookies: ['sess_*', 'theme=dark'], query: ['preview'] },
});

interface Question {
  readonly method?: string;
  readonly fields?: Record<string, string>;
  readonly hasBody?: boolean;
  readonly selected?: Partial<StoredHead> | null;
  readonly hasVariants?: boolean;
  readonly rule?: Rule;
  readonly target?: string;
  readonly site?: typeof SITE;
  /** Seconds since the response came. */
  readonly after?: number;
  readonly hasClientCertificate?: boolean;
}

function ask(question: Question): Decision {
  const selected = question.selected === undefined ? {} : question.selected;
  return decide({
    method: question.method ?? 'GET',
    fields: Fields.of(Object.entries(question.fields ?? {})),
    hasBody: question.hasBody ?? false,
    hasClientCertificate: question.hasClientCertificate ?? false,
    selected: selected === null ? null : exampleHead(selected),
    hasVariants: question.hasVariants ?? selected !== null,
    target: question.target ?? '/',
    settings: resolveSettings(question.site ?? SITE, question.rule ?? null, question.rule ?? null),
    now: EXAMPLE_AT + (question.after ?? 10) * 1000,
  });
}

/** A decision in one word or two: action, then its reason or flag. */
function inWords(decision: Decision): string {
  switch (decision.action) {
    case 'reuse':
      return decision.isStale ? 'reuse stale' : 'reuse';
    case 'reuse-and-revalidate':
      return 'reuse-and-revalidate';
    case 'validate':
      return `validate ${decision.forward}${decision.mayServeStaleOnError ? ' or stale' : ''}`;
    case 'forward': {
      const flags = `${decision.mayStore ? ' store' : ''}${decision.mayCollapse ? ' collapse' : ''}`;
      return `forward ${decision.forward}${flags}`;
    }
    case 'refuse':
      return `refuse ${decision.status}`;
  }
}

const IMMUTABLE = { fields: Fields.of([['Cache-Control', 'max-age=60, immutable']]) };
const NONE = { selected: null, hasVariants: false } as const;
const control = (value: string) => ({ 'cache-control': value });

const CASES: [rule: string, title: string, question: Question, expected: string][] = [
  ['DE1', 'POST', { method: 'POST' }, 'forward method store'],
  ['DE1', 'PUT', { method: 'PUT' }, 'forward method'],
  ['DE1', 'an unknown method', { method: 'M-SEARCH' }, 'forward method'],
  ['DE1', 'a method in lower case is another method', { method: 'get' }, 'forward method'],
  ['DE2', 'GET with content', { hasBody: true }, 'forward bypass'],
  ['DE2', 'a bypass rule', { rule: BYPASS }, 'forward bypass'],
  ['DE2', 'another rule', { rule: KEEP }, 'reuse'],
  [
    'DE2',
    'a cookie that bypasses',
    { rule: WATCHFUL, fields: { cookie: 'a=1; sess_x=2' } },
    'forward bypass',
  ],
  ['DE2', 'a cookie with a value', { rule: WATCHFUL, fields: { cookie: 'theme=dark' } }, 'forward bypass'],
  ['DE2', 'another value', { rule: WATCHFUL, fields: { cookie: 'theme=light; x' } }, 'reuse'],
  ['DE2', 'a header that bypasses', { rule: WATCHFUL, fields: { 'x-preview': '' } }, 'forward bypass'],
  ['DE2', 'a parameter that bypasses', { rule: WATCHFUL, target: '/?a&preview' }, 'forward bypass'],
  ['DE2', 'another parameter', { rule: WATCHFUL, target: '/?a=preview' }, 'reuse'],
  ['DE2', 'nothing of the kind', { rule: WATCHFUL }, 'reuse'],
  [
    'DE2',
    'POST, and nothing is stored',
    { rule: WATCHFUL, method: 'POST', target: '/?preview' },
    'forward method',
  ],
  ['DE18', 'a reload of what is immutable', { selected: IMMUTABLE, fields: control('max-age=0') }, 'reuse'],
  [
    'DE18',
    'once it is stale',
    { selected: IMMUTABLE, after: 61, fields: control('max-age=0') },
    'validate stale or stale',
  ],
  [
    'DE18',
    'a forced reload',
    { selected: IMMUTABLE, fields: control('no-cache') },
    'validate request or stale',
  ],
  ['DE16', 'no-cache, not heard', { rule: DEAF, fields: control('no-cache') }, 'reuse'],
  [
    'DE16',
    'no-store, not heard',
    { rule: DEAF, fields: control('no-store'), ...NONE },
    'forward uri-miss store collapse',
  ],
  [
    'DE16',
    'only-if-cached, not heard',
    { rule: DEAF, fields: control('only-if-cached'), ...NONE },
    'forward uri-miss store collapse',
  ],
  ['DE3', 'nothing stored', NONE, 'forward uri-miss store collapse'],
  ['DE3', 'nothing selected', { selected: null, hasVariants: true }, 'forward vary-miss store collapse'],
  ['DE4', 'If-None-Match', { ...NONE, fields: { 'if-none-match': '"a"' } }, 'forward uri-miss store'],
  ['DE4', 'If-Modified-Since', { ...NONE, fields: { 'if-modified-since': 'x' } }, 'forward uri-miss store'],
  ['DE4', 'If-Match', { ...NONE, fields: { 'if-match': '"a"' } }, 'forward uri-miss store'],
  [
    'DE4',
    'If-Unmodified-Since',
    { ...NONE, fields: { 'if-unmodified-since': 'x' } },
    'forward uri-miss store',
  ],
  ['DE4', 'Range', { ...NONE, fields: { range: 'bytes=0-1' } }, 'forward uri-miss store'],
  ['DE4', 'Authorization', { ...NONE, fields: { authorization: 'x' } }, 'forward uri-miss store'],
  ['DE4', 'a certificate shown', { ...NONE, hasClientCertificate: true }, 'forward uri-miss store'],
  ['DE4', 'Cookie', { ...NONE, fields: { cookie: 'a=b' } }, 'forward uri-miss store collapse'],
  ['DE4', 'HEAD', { ...NONE, method: 'HEAD' }, 'forward uri-miss'],
  ['DE5', 'fresh', {}, 'reuse'],
  ['DE5', 'fresh to the last moment', { after: 59.999 }, 'reuse'],
  ['DE5', 'fresh, with directives that do not mind', { fields: control('max-age=20, x') }, 'reuse'],
  ['DE6', 'no-cache', { selected: { mustValidateAlways: true } }, 'validate stale'],
  [
    'DE6',
    'no-cache, request max-stale',
    { selected: { mustValidateAlways: true }, fields: control('max-stale') },
    'validate stale',
  ],
  [
    'DE7',
    'the origin grants a window',
    { after: 70, selected: { staleWhileRevalidateSeconds: 30 } },
    'reuse-and-revalidate',
  ],
  ['DE7', 'the site grants a window', { after: 70, site: PATIENT_SITE }, 'reuse-and-revalidate'],
  [
    'DE7',
    'with a directive that does not mind',
    { after: 70, site: PATIENT_SITE, fields: control('x') },
    'reuse-and-revalidate',
  ],
  [
    'DE7',
    'the origin grants none',
    { after: 70, site: PATIENT_SITE, selected: { staleWhileRevalidateSeconds: 0 } },
    'validate stale or stale',
  ],
  ['DE7', 'beyond the window', { after: 90, site: PATIENT_SITE }, 'validate stale or stale'],
  [
    'DE7',
    'forbidden',
    { after: 70, site: PATIENT_SITE, selected: { mustNotServeStale: true } },
    'validate stale',
  ],
  [
    'DE7',
    'request max-age is stricter',
    { after: 70, site: PATIENT_SITE, fields: control('max-age=60') },
    'validate stale or stale',
  ],
  ['DE8', 'stale', { after: 60 }, 'validate stale or stale'],
  ['DE8', 'stale beyond stale-if-error', { after: 160 }, 'validate stale'],
  ['DE9', 'request no-cache', { fields: control('no-cache') }, 'validate request or stale'],
  ['DE10', 'request max-age=0', { fields: control('max-age=0') }, 'validate request or stale'],
  ['DE10', 'request max-age unreadable', { fields: control('max-age=x') }, 'validate request or stale'],
  ['DE10', 'request max-age above the age', { fields: control('max-age=11') }, 'reuse'],
  ['DE10', 'request min-fresh too long', { fields: control('min-fresh=51') }, 'validate request or stale'],
  ['DE10', 'request min-fresh met', { fields: control('min-fresh=50') }, 'reuse'],
  ['DE10', 'request min-fresh unreadable', { fields: control('min-fresh=x') }, 'validate request or stale'],
  ['DE11', 'max-stale without end', { after: 1000, fields: control('max-stale') }, 'reuse stale'],
  ['DE11', 'max-stale met', { after: 70, fields: control('max-stale=10') }, 'reuse stale'],
  ['DE11', 'max-stale exceeded', { after: 71, fields: control('max-stale=10') }, 'validate stale or stale'],
  ['DE11', 'max-stale unreadable', { after: 70, fields: control('max-stale=x') }, 'validate stale or stale'],
  [
    'DE11',
    'max-stale against must-revalidate',
    { after: 70, fields: control('max-stale'), selected: { mustNotServeStale: true } },
    'validate stale',
  ],
  [
    'DE11',
    'max-stale with max-age below the age',
    { after: 70, fields: control('max-stale, max-age=5') },
    'validate stale or stale',
  ],
  ['DE12', 'only-if-cached, nothing stored', { ...NONE, fields: control('only-if-cached') }, 'refuse 504'],
  ['DE12', 'only-if-cached, fresh', { fields: control('only-if-cached') }, 'reuse'],
  [
    'DE12',
    'only-if-cached, stale',
    { after: 70, site: PATIENT_SITE, fields: control('only-if-cached') },
    'refuse 504',
  ],
  [
    'DE12',
    'only-if-cached, stale within max-stale',
    { after: 70, fields: control('only-if-cached, max-stale=20') },
    'reuse stale',
  ],
  ['DE12', 'only-if-cached, no-cache', { fields: control('only-if-cached, no-cache') }, 'refuse 504'],
  ['DE13', 'no-store, nothing stored', { ...NONE, fields: control('no-store') }, 'forward uri-miss'],
  ['DE13', 'no-store, fresh', { fields: control('no-store') }, 'reuse'],
  ['DE13', 'no-store, stale', { after: 70, fields: control('no-store') }, 'forward stale'],
  ['DE13', 'no-store and no-cache', { fields: control('no-store, no-cache') }, 'forward request'],
  ['DE14', 'Pragma', { fields: { pragma: 'no-cache' } }, 'reuse'],
  ['DE15', 'HEAD, fresh', { method: 'HEAD' }, 'reuse'],
  ['DE15', 'HEAD, stale', { method: 'HEAD', after: 70 }, 'validate stale or stale'],
];

describe('decide', () => {
  for (const [rule, title, question, expected] of CASES) {
    test(`${rule} ${title} → ${expected}`, () => expect(inWords(ask(question))).toBe(expected));
  }
});
