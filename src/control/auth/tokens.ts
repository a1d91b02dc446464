/**
 * Tokens: who may use the API. A token is 256 random bits; the database has its SHA-256 alone, so that a
 * stolen copy opens nothing. The first one is made at the first start and written to a file for the owner.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#core/base/app-error.ts';
import type { TokenView } from '#core/contract/tokens.ts';
import { writeFileAtomically } from '#platform/atomic-file.ts';
import type { Clock } from '#platform/clock.ts';
import { countRows } from '../database/model-store.ts';
import type { Database } from '../database/schema.ts';
import { CONTROL_LIMITS } from '../limits.ts';

const TOKEN_PREFIX = 'perigee_';
const ADMIN_TOKEN_NAME = 'admin';
const ADMIN_TOKEN_FILE = 'admin-token';
/** `lastUsedAt` is for people who look for forgotten tokens: a write per request would serve nobody. */
const LAST_USED_STEP_MS = 60_000;

export class Tokens {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async list(): Promise<TokenView[]> {
    const rows = await this.#database.selectFrom('tokens').selectAll().orderBy('created_at').execute();
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      createdAt: row.created_at,
      lastUsedAt: row.last_used_at,
    }));
  }

  /** Makes a token; its secret is in this answer and nowhere else. */
  async create(name: string): Promise<TokenView & { readonly token: string }> {
    const token = TOKEN_PREFIX + randomBytes(32).toString('base64url');
    const view = { id: randomBytes(6).toString('hex'), name, createdAt: this.#clock.now(), lastUsedAt: null };
    await this.#database.transaction().execute(async (transaction) => {
      const count = await countRows(transaction, 'tokens');
      if (count >= CONTROL_LIMITS.tokensMax) {
        throw new AppError(
          'conflict',
          `there are ${count} tokens, the most that are allowed; revoke some that are not used any more`,
        );
      }
      await transaction
        .insertInto('tokens')
        .values({
          id: view.id,
          name,
          hash: hashToken(token).toString('hex'),
          created_at: view.createdAt,
          last_used_at: null,
        })
        .execute();
    });
    return { ...view, token };
  }

  /** Throws AppError `not-found`; `conflict` for the last token, without which nobody could make another. */
  async remove(id: string): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const rows = await transaction.selectFrom('tokens').select('id').limit(2).execute();
      const { numDeletedRows } = await transaction
        .deleteFrom('tokens')
        .where('id', '=', id)
        .executeTakeFirst();
      if (numDeletedRows === 0n) {
        throw new AppError('not-found', `there is no token "${id}"; list them to see their ids`);
      }
      if (rows.length < 2) {
        throw new AppError('conflict', 'this is the last token; make another one before you revoke it');
      }
    });
  }

  /** The id of the token with this secret, or null. */
  async verify(secret: string): Promise<string | null> {
    const hash = hashToken(secret);
    const row = await this.#database
      .selectFrom('tokens')
      .select(['id', 'hash', 'last_used_at'])
      .where('hash', '=', hash.toString('hex'))
      .executeTakeFirst();
    if (row === undefined || !timingSafeEqual(Buffer.from(row.hash, 'hex'), hash)) return null;
    const now = this.#clock.now();
    if (row.last_used_at === null || now - row.last_used_at >= LAST_USED_STEP_MS) {
      await this.#database
        .updateTable('tokens')
        .set({ last_used_at: now })
        .where('id', '=', row.id)
        .execute();
    }
    return row.id;
  }

  /** The token in `<directory>/admin-token`; made anew when there is none or it was revoked. */
  async ensureAdminToken(directory: string): Promise<string> {
    const file = join(directory, ADMIN_TOKEN_FILE);
    if (existsSync(file)) {
      const kept = readFileSync(file, 'utf8').trim();
      if ((await this.verify(kept)) !== null) return kept;
    }
    const { token } = await this.create(ADMIN_TOKEN_NAME);
    writeFileAtomically(file, `${token}\n`, 0o600);
    return token;
  }
}

function hashToken(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
