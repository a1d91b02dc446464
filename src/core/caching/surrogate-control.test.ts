import { expect, test } from 'bun:test';
import { Fields } from '#core/http/fields.ts';
import { effectiveDirectives } from './directives.ts';
import { parseSurrogateControl } from './surrogate-control.ts';

test.each<[value: string, maxAge: number | 'invalid' | null, noStore: boolean, stale: number | null]>([
  ['max-age=3600', 3600, false, null],
  ['MaX-aGe=3600, foobar', 3600, false, null],
  ['max-age=600+30', 600, false, 30],
  ['max-age=0, content="ESI/1.0"', 0, false, null],
  ['no-store', null, true, null],
  ['no-store-remote', null, true, null],
  ['max-age=5, max-age=60;perigee', 60, false, null],
  ['max-age=5, max-age=60;other', 5, false, null],
  ['max-age=60;other;perigee', 60, false, null],
  ['max-age= 100', 'invalid', false, null],
  ['max-age', 'invalid', false, null],
  ['private', null, false, null],
  ['max-age=10+x', 'invalid', false, null],
])('CC8 "%s"', (value, maxAge, noStore, stale) => {
  expect(parseSurrogateControl(value)).toMatchObject({ maxAge, noStore, staleWhileRevalidate: stale });
});

test.each(['', 'content="ESI/1.0"', 'max-age=60;other', 'max-age =100', 'content="max-age=60"'])(
  'CC8 "%s" says nothing to us',
  (value) => expect(parseSurrogateControl(value)).toBeNull(),
);

test('CC8 counts before Cache-Control, and after the fields of RFC 9213', () => {
  const fields: [string, string][] = [
    ['Cache-Control', 'no-store'],
    ['Surrogate-Control', 'max-age=60'],
  ];
  expect(effectiveDirectives(Fields.of(fields))).toMatchObject({
    isTargeted: true,
    directives: { maxAge: 60 },
  });
  const both = Fields.of([...fields, ['CDN-Cache-Control', 'max-age=5']]);
  expect(effectiveDirectives(both)).toMatchObject({ isTargeted: true, directives: { maxAge: 5 } });
  const none = Fields.of([
    ['Cache-Control', 'max-age=7'],
    ['Surrogate-Control', 'content="ESI/1.0"'],
  ]);
  expect(effectiveDirectives(none)).toMatchObject({ isTargeted: false, directives: { maxAge: 7 } });
});
