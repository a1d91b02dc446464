import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { Fields } from '#core/http/fields.ts';
import { compactHead } from './compact-head.ts';

test('a compacted head has the same fields, in the same order, and the same of everything else', () => {
  const name = fc.stringMatching(/^[A-Za-z-]{1,80}$/);
  const value = fc.string({
    unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.option(value), (lines, etag) => {
      const head = { status: 200, etag, fields: Fields.of(lines), path: '/a' } as unknown as StoredHead;
      const { fields, ...rest } = compactHead(head);
      expect([...fields]).toEqual(lines);
      expect(rest).toEqual({ status: 200, etag, path: '/a' } as unknown as typeof rest);
    }),
  );
});
