import { expect, test } from 'bun:test';
import { concernsSite, describeReceipts, describeTarget } from './purge-text.ts';

const SITE = { id: 'shop', hosts: ['shop.example.com'] };

test('a purge by URL belongs to the site with the host', () => {
  expect(concernsSite({ kind: 'url', url: 'http://shop.example.com:8080/a' }, SITE)).toBe(true);
  expect(concernsSite({ kind: 'url', url: 'http://example.com/a' }, SITE)).toBe(false);
  expect(concernsSite({ kind: 'url', url: 'no URL' }, SITE)).toBe(false);
  expect(concernsSite({ kind: 'everything', siteId: 'shop' }, SITE)).toBe(true);
  expect(concernsSite({ kind: 'tag', siteId: 'blog', tag: 'x' }, SITE)).toBe(false);
});

test('in words', () => {
  expect(describeTarget({ kind: 'prefix', siteId: 'shop', prefix: '/a/' })).toBe('Everything below /a/');
  expect(describeTarget({ kind: 'host', siteId: 'shop', host: 'a.example' })).toBe(
    'Everything under a.example',
  );
  const receipt = { part: 'edge:a/0', applied: true, purgedResponses: 1, error: null };
  expect(describeReceipts({ receipts: [receipt, { ...receipt, applied: false }] })).toBe('applied by 1 of 2');
  expect(describeReceipts({ receipts: [] })).toBe('no edge was live');
});
