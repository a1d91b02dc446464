/**
 * Use cases on purges. A purge is written to the ordered log first and then handed to every live edge worker,
 * in the order of the log; it is answered when all of them have it in force.
 */
import { ApiError, errorAt } from '#core/contract/errors.ts';
import type { PurgeReceipt, PurgeView } from '#core/contract/purges.ts';
import { cnameOf } from '#core/model/compile.ts';
import { PURGES_PER_PAGE, type PurgesPage } from '#core/model/messages.ts';
import { type Purge, type PurgeOrder, type PurgeTarget, purgeTargetSchema } from '#core/model/purge.ts';
import type { Bus, Reply } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import { readSite } from '../database/model-store.ts';
import type { Database, PurgeRow } from '../database/schema.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { parseHttpUrl } from './http-url.ts';
import { findSiteOfHost } from './site-of-host.ts';
import { siteNotFound } from './sites.ts';

export interface PurgesOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly zoneName: string;
}

type NewPurge = Pick<Purge, 'siteId' | 'target' | 'soft'>;
type Replies = Promise<readonly Reply<'purge'>[]>;

export class Purges {
  readonly #options: PurgesOptions;
  /** The end of the queue of purges being written and sent: one at a time, so that edges see the log's order. */
  #tail: Promise<unknown> = Promise.resolve();
  #inFlight = 0;
  /** What edges know of already, perhaps of a log that is lost. */
  #knownPosition = 0;

  constructor(options: PurgesOptions) {
    this.#options = options;
  }

  /**
   * Purges. Throws ApiError `not-found` (no such site), `invalid` (a URL of no site, a host that is not the site's), `limit-exceeded`, and
   * `unavailable` with the parts that did not confirm; the purge is in the log then all the same.
   */
  async create({ soft, ...target }: PurgeOrder): Promise<PurgeView> {
    const siteId = await this.#siteConcerned(target);
    if (this.#inFlight >= CONTROL_LIMITS.purgesInFlightMax) {
      throw new ApiError(
        'limit-exceeded',
        `${this.#inFlight} purges are under way, the most at once; send the next ones when some have been answered`,
      );
    }
    this.#inFlight++;
    try {
      const { purge, replies } = await this.#enqueue({ siteId, target, soft });
      const receipts = (await replies).map(toReceipt).sort((a, b) => (a.part < b.part ? -1 : 1));
      await this.#options.database
        .updateTable('purges')
        .set({ receipts: JSON.stringify(receipts) })
        .where('position', '=', purge.position)
        .execute();
      refuseUnconfirmed(purge, receipts);
      return { position: purge.position, target, soft, requestedAt: purge.requestedAt, receipts };
    } finally {
      this.#inFlight--;
    }
  }

  /** Purges below the position `before`, the latest first. */
  async list(before: number | null, limit: number): Promise<PurgeView[]> {
    const rows = await this.#options.database
      .selectFrom('purges')
      .selectAll()
      .where('position', '<', before ?? Number.MAX_SAFE_INTEGER)
      .orderBy('position', 'desc')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      position: row.position,
      target: purgeTargetSchema.parse(JSON.parse(row.target)),
      soft: row.soft === 1,
      requestedAt: row.requested_at,
      receipts: row.receipts === null ? [] : (JSON.parse(row.receipts) as PurgeReceipt[]),
    }));
  }

  /** For an edge that has the log up to `position`: the next ones, in order. Later purges stand above that position. */
  async after(position: number): Promise<PurgesPage> {
    this.#knownPosition = Math.max(this.#knownPosition, position);
    const { database } = this.#options;
    const rows = await database
      .selectFrom('purges')
      .selectAll()
      .where('position', '>', position)
      .orderBy('position')
      .limit(PURGES_PER_PAGE)
      .execute();
    const { first } = await database
      .selectFrom('purges')
      .select((eb) => eb.fn.min<number | null>('position').as('first'))
      .executeTakeFirstOrThrow();
    return { purges: rows.map(toPurge), unknownBefore: first === null ? 0 : Number(first) - 1 };
  }

  /** The id of the site that has what is to be purged. */
  async #siteConcerned(target: PurgeTarget): Promise<string> {
    const { database, zoneName } = this.#options;
    if (target.kind !== 'url') {
      const site = await readSite(database, target.siteId);
      if (site === null) throw siteNotFound(target.siteId);
      if (target.kind === 'host') {
        const hosts = [...site.hosts, cnameOf(site.id, zoneName)];
        if (!hosts.includes(target.host)) {
          const names = hosts.join(', ');
          throw errorAt('host', `site "${site.id}" has no host "${target.host}"; its hosts are ${names}`);
        }
      }
      return site.id;
    }
    const url = parseHttpUrl(target.url);
    if (url === null) {
      throw errorAt(
        'url',
        `"${target.url}" is not a complete URL; write it with scheme and host, such as "https://www.example.com/a.css"`,
      );
    }
    const site = await findSiteOfHost(database, zoneName, url.hostname);
    if (site === null) {
      throw errorAt('url', `no site has the host "${url.hostname}"; add it to a site, or check the spelling`);
    }
    return site.id;
  }

  #enqueue(order: NewPurge): Promise<{ purge: Purge; replies: Replies }> {
    const sent = this.#tail.then(async () => {
      const purge = await this.#append(order);
      const { purgeTimeoutMs } = CONTROL_LIMITS;
      // Not awaited here: the next purge may be sent while the edges work on this one.
      return { purge, replies: this.#options.bus.request('purge', purge, { timeoutMs: purgeTimeoutMs }) };
    });
    this.#tail = sent.catch(() => undefined);
    return sent;
  }

  async #append(order: NewPurge): Promise<Purge> {
    const { database, clock } = this.#options;
    return database.transaction().execute(async (transaction) => {
      const { last } = await transaction
        .selectFrom('purges')
        .select((eb) => eb.fn.max<number | null>('position').as('last'))
        .executeTakeFirstOrThrow();
      const purge: Purge = {
        ...order,
        position: Math.max(Number(last ?? 0), this.#knownPosition) + 1,
        requestedAt: clock.now(),
      };
      await transaction
        .insertInto('purges')
        .values({
          position: purge.position,
          site_id: order.siteId,
          target: JSON.stringify(order.target),
          soft: order.soft ? 1 : 0,
          requested_at: purge.requestedAt,
          receipts: null,
        })
        .execute();
      await transaction
        .deleteFrom('purges')
        .where('position', '<=', purge.position - CONTROL_LIMITS.purgesKept)
        .execute();
      return purge;
    });
  }
}

function toPurge({ position, site_id, target: text, soft, requested_at }: PurgeRow): Purge {
  const target = purgeTargetSchema.parse(JSON.parse(text));
  const siteId = site_id ?? (target.kind === 'url' ? '' : target.siteId);
  return { position, siteId, target, soft: soft === 1, requestedAt: requested_at };
}

function toReceipt(reply: Reply<'purge'>): PurgeReceipt {
  return reply.ok
    ? { part: reply.from, applied: true, purgedResponses: reply.answer.purgedResponses, error: null }
    : { part: reply.from, applied: false, purgedResponses: null, error: reply.error };
}

function refuseUnconfirmed(purge: Purge, receipts: readonly PurgeReceipt[]): void {
  const silent = receipts.filter(({ applied }) => !applied);
  if (silent.length === 0) return;
  const names = silent.map(({ part }) => part).join(', ');
  throw new ApiError(
    'unavailable',
    `purge ${purge.position} is in the log, but ${names} did not confirm it; purge again when the status shows all parts ready`,
    silent.map(({ part, error }) => ({ path: part, message: error ?? 'did not confirm' })),
  );
}
