/** Questions about admission for tests: a GET for `/a?b` that is answered 200, unless the question says otherwise. */
import { formatHttpDate } from '#core/http/dates.ts';
import { Fields } from '#core/http/fields.ts';
import { resolveSettings } from '#core/model/cache-settings.ts';
import { type Rule, ruleSchema, type SiteInput, siteSchema } from '#core/model/site.ts';
import { admit } from './admit.ts';
import { EXAMPLE_AT } from './example-head.cases.ts';
import type { StoredHead } from './stored-head.ts';

const SITE = siteSchema.parse({
  id: 'shop',
  hosts: ['www.example.com'],
  origins: [{ url: 'http://192.0.2.1' }],
});

type RuleInput = NonNullable<SiteInput['rules']>[number];

export interface Question {
  readonly method?: string;
  readonly request?: [string, string][];
  readonly status?: number;
  readonly response?: [string, string][];
  readonly rule?: RuleInput;
  /** Milliseconds the origin took. */
  readonly delayMs?: number;
  readonly hasClientCertificate?: boolean;
  readonly path?: string;
}

export function ask(question: Question) {
  const rule: Rule | null = question.rule === undefined ? null : ruleSchema.parse(question.rule);
  return admit({
    method: question.method ?? 'GET',
    requestFields: Fields.of(question.request ?? []),
    hasClientCertificate: question.hasClientCertificate ?? false,
    status: question.status ?? 200,
    reason: '',
    responseFields: Fields.of(question.response ?? []),
    requestedAt: EXAMPLE_AT - (question.delayMs ?? 0),
    respondedAt: EXAMPLE_AT,
    settings: resolveSettings(SITE, rule, rule),
    path: question.path ?? '/a?b',
    host: 'www.example.com',
    purgePosition: 7,
    sequence: 3,
  });
}

export function stored(question: Question): StoredHead {
  const admission = ask(question);
  if (admission.action !== 'store') throw new Error(`passed: ${admission.reason}`);
  return admission.head;
}

export const at = (seconds: number) => formatHttpDate(EXAMPLE_AT + seconds * 1000);
export const control = (value: string): [string, string] => ['Cache-Control', value];
export const KEPT = control('max-age=60');
export const OVERRIDE: RuleInput = { mode: 'override-origin', edgeTtlSeconds: 300 };
export const DEFAULT_TTL: RuleInput = { edgeTtlSeconds: 300 };
