/**
 * Reading and writing the model in the database: rows to sites and POPs and back. No rules here: services
 * decide what may be written, within one transaction.
 */
import type { Kysely } from 'kysely';
import { type Pop, popSchema } from '#core/model/pop.ts';
import { type Site, siteSchema } from '#core/model/site.ts';
import { type NetworkLocation, networkLocationSchema } from '#core/model/snapshot.ts';
import type { DatabaseSchema } from './schema.ts';

/** A database or a transaction on it. */
type Connection = Kysely<DatabaseSchema>;

/** Rows that are put into one statement; SQLite allows 32,766 parameters in one. */
const ROWS_PER_STATEMENT = 1_000;

export async function readSites(db: Connection): Promise<Site[]> {
  const rows = await db.selectFrom('sites').select('body').orderBy('id').execute();
  return rows.map(({ body }) => siteSchema.parse(JSON.parse(body)));
}

export async function readSite(db: Connection, id: string): Promise<Site | null> {
  const row = await db.selectFrom('sites').select('body').where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : siteSchema.parse(JSON.parse(row.body));
}

/** At most `limit` sites after the id `after`, by id. */
export async function readSitesAfter(db: Connection, after: string, limit: number): Promise<Site[]> {
  const rows = await db
    .selectFrom('sites')
    .select('body')
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ body }) => siteSchema.parse(JSON.parse(body)));
}

/** Which site lists each of these hosts; hosts that none lists are absent. */
export async function readHostOwners(
  db: Connection,
  hosts: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('site_hosts').selectAll().where('host', 'in', hosts).execute();
  return new Map(rows.map((row) => [row.host, row.site_id]));
}

/** Those of these ids that sites have. */
export async function readSiteIds(db: Connection, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db.selectFrom('sites').select('id').where('id', 'in', ids).execute();
  return new Set(rows.map(({ id }) => id));
}

/** Adds the site or replaces the one with its id. */
export async function writeSite(db: Connection, site: Site): Promise<void> {
  const body = JSON.stringify(site);
  await db
    .insertInto('sites')
    .values({ id: site.id, body })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ body }))
    .execute();
  await db.deleteFrom('site_hosts').where('site_id', '=', site.id).execute();
  await db
    .insertInto('site_hosts')
    .values(site.hosts.map((host) => ({ host, site_id: site.id })))
    .execute();
}

/** True when there was one. */
export async function removeSite(db: Connection, id: string): Promise<boolean> {
  await db.deleteFrom('certificates').where('site_id', '=', id).execute();
  const result = await db.deleteFrom('sites').where('id', '=', id).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function readPops(db: Connection): Promise<Pop[]> {
  const rows = await db.selectFrom('pops').select('body').orderBy('id').execute();
  return rows.map(({ body }) => popSchema.parse(JSON.parse(body)));
}

export async function readPop(db: Connection, id: string): Promise<Pop | null> {
  const row = await db.selectFrom('pops').select('body').where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : popSchema.parse(JSON.parse(row.body));
}

/** At most `limit` POPs after the id `after`, by id. */
export async function readPopsAfter(db: Connection, after: string, limit: number): Promise<Pop[]> {
  const rows = await db
    .selectFrom('pops')
    .select('body')
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ body }) => popSchema.parse(JSON.parse(body)));
}

/** Which POP has each of these edges; edges that none has are absent. */
export async function readEdgeOwners(
  db: Connection,
  edgeIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('pop_edges').selectAll().where('edge_id', 'in', edgeIds).execute();
  return new Map(rows.map((row) => [row.edge_id, row.pop_id]));
}

/** Adds the POP, or replaces the one with its id, which stays seeded or not as it was. */
export async function writePop(db: Connection, pop: Pop, isSeeded: boolean): Promise<void> {
  const body = JSON.stringify(pop);
  await db
    .insertInto('pops')
    .values({ id: pop.id, body, seeded: isSeeded ? 1 : 0 })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ body }))
    .execute();
  await db.deleteFrom('pop_edges').where('pop_id', '=', pop.id).execute();
  await db
    .insertInto('pop_edges')
    .values(pop.edges.map((edge) => ({ edge_id: edge.id, pop_id: pop.id })))
    .execute();
}

/** True when there was one. */
export async function removePop(db: Connection, id: string): Promise<boolean> {
  const result = await db.deleteFrom('pops').where('id', '=', id).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function readSeededPopIds(db: Connection): Promise<string[]> {
  const rows = await db.selectFrom('pops').select('id').where('seeded', '=', 1).execute();
  return rows.map(({ id }) => id);
}

export async function readNetworks(db: Connection): Promise<NetworkLocation[]> {
  const rows = await db.selectFrom('networks').select('body').orderBy('network').execute();
  return rows.map(({ body }) => networkLocationSchema.parse(JSON.parse(body)));
}

export async function replaceNetworks(db: Connection, networks: readonly NetworkLocation[]): Promise<void> {
  await db.deleteFrom('networks').execute();
  for (let start = 0; start < networks.length; start += ROWS_PER_STATEMENT) {
    const rows = networks.slice(start, start + ROWS_PER_STATEMENT);
    await db
      .insertInto('networks')
      .values(rows.map((network) => ({ network: network.network, body: JSON.stringify(network) })))
      .execute();
  }
}

/** How many rows a table has. */
export async function countRows(db: Connection, table: keyof DatabaseSchema): Promise<number> {
  const { count } = await db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  // PostgreSQL counts in bigint, which comes as text.
  return Number(count);
}

export async function readSetting(db: Connection, name: string): Promise<string | null> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value ?? null;
}

export async function writeSetting(db: Connection, name: string, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}
