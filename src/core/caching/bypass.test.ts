import { expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { settingsOf } from '#core/model/cache-settings.ts';
import { type SiteInput, siteSchema } from '#core/model/site.ts';
import { meetsBypass } from './bypass.ts';

const REQUEST = Fields.of([
  ['Cookie', 'sid=1; theme=dark'],
  ['X-Preview', '1'],
]);

test.each<[bypassWhen: NonNullable<SiteInput['bypassWhen']>, target: string, expected: boolean]>([
  [{ headers: ['x-preview'] }, '/', true],
  [{ headers: ['x-other'] }, '/?sid', false],
  [{ cookies: ['s*'] }, '/', true],
  [{ cookies: ['s'] }, '/', false],
  [{ cookies: ['theme=light'] }, '/', false],
  [{ query: ['preview'] }, '/?a=1&preview', true],
  [{ query: ['preview=1'] }, '/?preview=2', false],
  [{ query: ['preview'] }, '/', false],
])('DE2 %j for %s: %p', (bypassWhen, target, expected) => {
  const origins = [{ url: 'http://192.0.2.1' }];
  const site = siteSchema.parse({ id: 'shop', hosts: ['a.example'], origins, bypassWhen });
  const conditions = settingsOf(site, '/', null).bypassWhen;
  if (conditions === null) throw new Error('there are some');
  expect(meetsBypass(conditions, REQUEST, target)).toBe(expected);
});
