import { expect, test } from 'bun:test';
import { createLocalHub } from '#platform/local-bus.ts';
import { StoredResponses } from './stored-responses.ts';

const STORED = {
  tier: 'disk',
  state: 'fresh',
  status: 200,
  contentType: null,
  variesOn: ['accept: a'],
  bodyLength: 1,
  ageSeconds: 2,
  freshnessLifetimeSeconds: 3,
  etag: null,
  lastModified: null,
  tags: ['t'],
} as const;

test('every worker is asked, in the order of their names; one that fails is named', async () => {
  const hub = createLocalHub();
  const asked: string[] = [];
  for (const name of ['edge:b/0', 'edge:a/0'] as const) {
    hub.join(name).respond('inspect-cache', ({ url }) => {
      asked.push(url);
      return { part: name, siteId: 'shop', cacheKey: 'k', responses: [STORED] };
    });
  }
  hub.join('edge:c/0').respond('inspect-cache', () => {
    throw new Error('busy');
  });
  const { edges, notes } = await new StoredResponses(hub.join('control')).inspect('www.example.com/a');
  expect(edges.map(({ part }) => part)).toEqual(['edge:a/0', 'edge:b/0']);
  expect(edges[0]?.responses).toEqual([{ ...STORED, variesOn: ['accept: a'], tags: ['t'] }]);
  expect(asked).toEqual(['http://www.example.com/a', 'http://www.example.com/a']);
  expect(notes).toHaveLength(1);
  expect(notes[0]).toContain('edge:c/0');
});

test('nobody to ask is said, and so is what is no URL', async () => {
  const stored = new StoredResponses(createLocalHub().join('control'));
  expect(await stored.top(5)).toEqual({ edges: [], notes: ['no edge answered'] });
  expect(stored.inspect('ftp://x/')).rejects.toThrow('is not a URL');
});
