/** A data directory that a former release wrote. */
import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeDataDirectory, startTestControl } from '../../../test/support/test-control.ts';

const NEW_FIELDS = [
  ...[
    'statusTtls',
    'cacheKey',
    'bypassWhen',
    'setCookie',
    'requestDirectives',
    'finishFills',
    'requestFields',
  ],
  ...['checkContentType', 'slices'],
];

/** Undoes what has come since: columns of purges, and fields of sites. */
function makeOld(directory: string): void {
  const file = readdirSync(directory).find((name) => name.endsWith('.db') || name.endsWith('.sqlite'));
  if (file === undefined) throw new Error('there is no database');
  const database = new Database(join(directory, file));
  database.run('ALTER TABLE purges DROP COLUMN soft');
  database.run('ALTER TABLE purges DROP COLUMN site_id');
  database.run("DELETE FROM kysely_migration WHERE name IN ('0002-soft-purges', '0003-sites-of-purges')");
  const { body } = database.query('SELECT body FROM sites').get() as { body: string };
  const site = JSON.parse(body) as Record<string, unknown> & { rules: Record<string, unknown>[] };
  for (const part of [site, ...site.rules]) for (const name of NEW_FIELDS) delete part[name];
  for (const rule of site.rules)
    for (const name of ['staleIfErrorSeconds', 'staleWhileRevalidateSeconds']) delete rule[name];
  database.run('UPDATE sites SET body = ?', [JSON.stringify(site)]);
  database.close();
}

test('is read: sites have the defaults of what is new, and its purges were hard', async () => {
  const data = makeDataDirectory();
  const first = await startTestControl({ dataDirectory: data.directory });
  const rules = [{ path: '/a/*', edgeTtlSeconds: 60 }];
  const created = await first.client.createSite({
    body: { id: 'shop', hosts: ['shop.example.com'], origins: [{ url: 'http://192.0.2.1' }], rules },
  });
  await first.client.createPurge({ body: { kind: 'tag', siteId: 'shop', tag: 'news' } });
  await first.close();
  makeOld(data.directory);

  const second = await startTestControl({ dataDirectory: data.directory });
  expect(await second.client.getSite({ params: { id: 'shop' } })).toEqual(created);
  const { purges } = await second.client.listPurges({ query: {} });
  expect(purges.map(({ target, soft }) => [target.kind, soft])).toEqual([['tag', false]]);
  const changed = await second.client.patchSite({ params: { id: 'shop' }, body: { setCookie: 'never' } });
  expect(changed).toEqual({ ...created, setCookie: 'never' });
  await second.close();
  data.remove();
});
