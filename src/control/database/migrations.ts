/** The steps from an empty database to the present tables, in order. A step that was released is never changed. */
import { type Kysely, type Migration, Migrator } from 'kysely';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { Database } from './schema.ts';

const TRAFFIC_COUNTERS = [
  'requests',
  'hits',
  'misses',
  'stale',
  'errors',
  'bytes_to_clients',
  'bytes_from_origin',
  'status_1xx',
  'status_2xx',
  'status_3xx',
  'status_4xx',
  'status_5xx',
] as const;

/** Brings the database up to date. Throws AppError `unavailable` when it is from a later version or broken. */
export async function migrate(database: Database, place: string): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const cause = errorMessage(error);
  throw new AppError(
    'unavailable',
    `the database ${place} cannot be brought up to date: ${cause}; use the version of Perigee that wrote it, or another data directory`,
    { cause: error },
  );
}

const MIGRATIONS: Record<string, Migration> = {
  '0001-first': {
    // Migrations outlive the present types: they see the tables as they were then.
    async up(db: Kysely<unknown>): Promise<void> {
      await createModelTables(db);
      await createOperationTables(db);
      await createTrafficTable(db);
    },
  },
  '0002-soft-purges': {
    // What was purged before there were soft purges was purged hard.
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .alterTable('purges')
        .addColumn('soft', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  '0003-sites-of-purges': {
    // Edges that stored something under such a purge are of a former release, and have it applied.
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable('purges').addColumn('site_id', 'text').execute();
    },
  },
};

async function createModelTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('settings')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('sites')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('site_hosts')
    .addColumn('host', 'text', (column) => column.primaryKey())
    .addColumn('site_id', 'text', (column) => column.notNull().references('sites.id').onDelete('cascade'))
    .execute();
  await db.schema.createIndex('site_hosts_by_site').on('site_hosts').column('site_id').execute();
  await db.schema
    .createTable('pops')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('seeded', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('pop_edges')
    .addColumn('edge_id', 'text', (column) => column.primaryKey())
    .addColumn('pop_id', 'text', (column) => column.notNull().references('pops.id').onDelete('cascade'))
    .execute();
  await db.schema.createIndex('pop_edges_by_pop').on('pop_edges').column('pop_id').execute();
  await db.schema
    .createTable('networks')
    .addColumn('network', 'text', (column) => column.primaryKey())
    .addColumn('body', 'text', (column) => column.notNull())
    .execute();
}

async function createOperationTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('purges')
    .addColumn('position', 'bigint', (column) => column.primaryKey())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('requested_at', 'bigint', (column) => column.notNull())
    .addColumn('receipts', 'text')
    .execute();
  await db.schema
    .createTable('tokens')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull().unique())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint')
    .execute();
  await db.schema
    .createTable('certificates')
    .addColumn('site_id', 'text', (column) => column.primaryKey())
    .addColumn('hosts', 'text', (column) => column.notNull())
    .addColumn('authority', 'text', (column) => column.notNull())
    .addColumn('certificate_pem', 'text', (column) => column.notNull())
    .addColumn('private_key_pem', 'text', (column) => column.notNull())
    .addColumn('not_after', 'bigint', (column) => column.notNull())
    .execute();
}

async function createTrafficTable(db: Kysely<unknown>): Promise<void> {
  let table = db.schema
    .createTable('traffic')
    .addColumn('minute', 'bigint', (column) => column.notNull())
    .addColumn('site_id', 'text', (column) => column.notNull())
    .addColumn('pop_id', 'text', (column) => column.notNull())
    .addColumn('first_byte_ms_total', 'double precision', (column) => column.notNull());
  for (const counter of TRAFFIC_COUNTERS) {
    table = table.addColumn(counter, 'bigint', (column) => column.notNull());
  }
  await table.addPrimaryKeyConstraint('traffic_key', ['minute', 'site_id', 'pop_id']).execute();
}
