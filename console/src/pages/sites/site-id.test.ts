import { expect, test } from 'bun:test';
import { siteIdSchema } from '#core/model/site.ts';
import { proposeSiteId } from './site-id.ts';

test.each([
  ['www.example.com', 'example-com'],
  [' Shop.Example.COM ', 'shop-example-com'],
  ['-a-.example', 'a-example'],
  [`${'a'.repeat(62)}.example.com`, 'a'.repeat(62)],
])('the id proposed for %p', (host, id) => {
  expect(proposeSiteId(host)).toBe(id);
  expect(siteIdSchema.safeParse(id).success).toBe(true);
});

test('nothing is proposed for nothing', () => expect(proposeSiteId('..')).toBe(''));
