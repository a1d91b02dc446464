/**
 * SQLite through `bun:sqlite`, as Kysely's own SQLite dialect wants it (it asks for the interface of another
 * library; this is the small difference). Write-ahead log, so that a backup may read while we write;
 * `synchronous=FULL`, so that an answered purge or change survives a power cut.
 */
import { Database as BunDatabase, type SQLQueryBindings } from 'bun:sqlite';
import { chmodSync } from 'node:fs';
import { Kysely, type SqliteDatabase, SqliteDialect } from 'kysely';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import { CONTROL_LIMITS } from '../../limits.ts';
import { migrate } from '../migrations.ts';
import type { Database, DatabaseSchema } from '../schema.ts';

/**
 * Opens (or makes) the database file, mode 0600: it holds keys of certificates. Throws AppError
 * `unavailable` when the file cannot be used. Close with `database.destroy()`.
 */
export async function openSqlite(file: string): Promise<Database> {
  let connection: BunDatabase;
  try {
    connection = new BunDatabase(file, { create: true, strict: true });
    chmodSync(file, 0o600);
    connection.run(`PRAGMA busy_timeout = ${CONTROL_LIMITS.databaseBusyMs}`);
    connection.run('PRAGMA journal_mode = WAL');
    connection.run('PRAGMA synchronous = FULL');
    connection.run('PRAGMA foreign_keys = ON');
  } catch (cause) {
    const reason = errorMessage(cause);
    throw new AppError(
      'unavailable',
      `the database ${file} cannot be opened: ${reason}; check that the file is a database and the disk is writable and not full`,
      { cause },
    );
  }
  const database = new Kysely<DatabaseSchema>({
    dialect: new SqliteDialect({ database: adaptConnection(connection) }),
  });
  try {
    await migrate(database, file);
  } catch (error) {
    connection.close();
    throw error;
  }
  return database;
}

function adaptConnection(connection: BunDatabase): SqliteDatabase {
  return {
    close: () => connection.close(),
    prepare(sql) {
      // `query` keeps prepared statements, `prepare` would make a new one for each call.
      const statement = connection.query<unknown, SQLQueryBindings[]>(sql);
      const bind = (parameters: readonly unknown[]) => parameters as SQLQueryBindings[];
      return {
        reader: statement.columnNames.length > 0,
        all: (parameters) => statement.all(...bind(parameters)),
        run: (parameters) => statement.run(...bind(parameters)),
        iterate: (parameters) => statement.iterate(...bind(parameters)),
      };
    },
  };
}
