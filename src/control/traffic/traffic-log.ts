/**
 * Traffic per minute, site and POP: rollups are gathered in memory, written to the database every few
 * seconds, kept for some days, and read back as series. A write that fails is tried again with the next.
 */
import { sql } from 'kysely';
import { STATS_DAYS_KEPT, STATS_POINTS_MAX, STATS_SERIES_MAX, type Stats } from '#core/contract/stats.ts';
import type { Rollup } from '#core/model/messages.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import type { Database, TrafficRow } from '../database/schema.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import { addCounters, type Counters, emptyCounters, toTraffic } from './counters.ts';

const MINUTE_MS = 60_000;
const ROWS_PER_STATEMENT = 500;

/** The columns that are added up. */
const SUMMED = [
  'requests',
  'hits',
  'misses',
  'stale',
  'errors',
  'bytes_to_clients',
  'bytes_from_origin',
  'first_byte_ms_total',
  'status_1xx',
  'status_2xx',
  'status_3xx',
  'status_4xx',
  'status_5xx',
] as const satisfies readonly (keyof TrafficRow)[];

type SummedRow = Pick<TrafficRow, (typeof SUMMED)[number]>;

interface Gathered {
  readonly minute: number;
  readonly siteId: string;
  readonly popId: string;
  readonly counters: Counters;
}

export interface TrafficLogOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
}

export class TrafficLog {
  readonly #options: TrafficLogOptions;
  #pending = new Map<string, Gathered>();
  #flushing: Promise<void> | null = null;

  constructor(options: TrafficLogOptions) {
    this.#options = options;
  }

  add(rollup: Rollup): void {
    const minute = Math.floor(rollup.startedAt / MINUTE_MS);
    const { siteId, popId } = rollup;
    const key = `${minute} ${siteId} ${popId}`;
    let gathered = this.#pending.get(key);
    if (gathered === undefined) {
      // The database is behind by tens of thousands of rows: rather lose counts than the process.
      if (this.#pending.size >= CONTROL_LIMITS.trafficRowsPendingMax) return;
      gathered = { minute, siteId, popId, counters: emptyCounters() };
      this.#pending.set(key, gathered);
    }
    addCounters(gathered.counters, rollup);
  }

  /** Writes what was gathered. Never rejects: what could not be written is kept for the next time. */
  async flush(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing;
    if (this.#pending.size === 0) return;
    const batch = [...this.#pending.values()];
    this.#pending = new Map();
    this.#flushing = this.#write(batch)
      .catch((error: unknown) => {
        this.#options.log.error({ cause: String(error), rows: batch.length }, 'traffic could not be written');
        for (const { minute, siteId, popId, counters } of batch) {
          this.add({ siteId, popId, startedAt: minute * MINUTE_MS, ...counters });
        }
      })
      .finally(() => {
        this.#flushing = null;
      });
    await this.#flushing;
  }

  /** Deletes what is past its days. */
  async prune(): Promise<void> {
    const oldest = Math.floor(this.#options.clock.now() / MINUTE_MS) - STATS_DAYS_KEPT * 24 * 60;
    await this.#options.database.deleteFrom('traffic').where('minute', '<', oldest).execute();
  }

  /** Traffic over the last `minutes`, up to this moment. */
  async view(minutes: number): Promise<Stats> {
    await this.flush();
    const stepMinutes = Math.ceil(minutes / STATS_POINTS_MAX);
    const lastStep = Math.floor(this.#options.clock.now() / MINUTE_MS / stepMinutes);
    const steps = Math.ceil(minutes / stepMinutes);
    const range: Range = { stepMinutes, first: lastStep - steps + 1, last: lastStep };
    const [all, sites, pops] = [
      await this.#sums(range, null),
      await this.#sums(range, 'site_id'),
      await this.#sums(range, 'pop_id'),
    ];
    const stepMs = stepMinutes * MINUTE_MS;
    return {
      from: range.first * stepMs,
      to: (range.last + 1) * stepMs,
      stepSeconds: stepMs / 1000,
      ...seriesOf(all.get('') ?? new Map(), range),
      sites: [...sites].map(([id, points]) => ({ id, ...seriesOf(points, range) })),
      pops: [...pops].map(([id, points]) => ({ id, ...seriesOf(points, range) })),
    };
  }

  async #write(batch: readonly Gathered[]): Promise<void> {
    await this.#options.database.transaction().execute(async (transaction) => {
      for (let start = 0; start < batch.length; start += ROWS_PER_STATEMENT) {
        const rows = batch.slice(start, start + ROWS_PER_STATEMENT).map(toRow);
        await transaction
          .insertInto('traffic')
          .values(rows)
          .onConflict((conflict) =>
            conflict
              .columns(['minute', 'site_id', 'pop_id'])
              .doUpdateSet((eb) =>
                Object.fromEntries(
                  SUMMED.map((column) => [
                    column,
                    eb(eb.ref(`traffic.${column}`), '+', eb.ref(`excluded.${column}`)),
                  ]),
                ),
              ),
          )
          .execute();
      }
    });
  }

  /** Sums by step, for each of the busiest sites or POPs, the busiest first; or for all together under ''. */
  async #sums(range: Range, by: 'site_id' | 'pop_id' | null): Promise<Map<string, Map<number, Counters>>> {
    const { database } = this.#options;
    const since = range.first * range.stepMinutes;
    const found = new Map<string, Map<number, Counters>>();
    const sums = SUMMED.map((column) => sql<number>`sum(${sql.ref(column)})`.as(column));
    // Whole numbers divided are whole in SQLite and PostgreSQL.
    const step = sql<number>`minute / ${sql.lit(range.stepMinutes)}`;
    let query = database.selectFrom('traffic').where('minute', '>=', since).groupBy(step);
    if (by === null) {
      for (const row of await query.select([step.as('step'), ...sums]).execute()) {
        collect(found, '', row.step, row);
      }
      return found;
    }
    const busiest = await database
      .selectFrom('traffic')
      .select(by)
      .where('minute', '>=', since)
      .groupBy(by)
      .orderBy(sql`sum(requests)`, 'desc')
      .orderBy(by)
      .limit(STATS_SERIES_MAX)
      .execute();
    const ids = busiest.map((row) => (by === 'site_id' ? row.site_id : row.pop_id));
    if (ids.length === 0) return found;
    for (const id of ids) found.set(id, new Map());
    query = query.where(by, 'in', ids);
    const rows = await query
      .groupBy(by)
      .select([sql.ref<string>(by).as('id'), step.as('step'), ...sums])
      .execute();
    for (const row of rows) collect(found, row.id, row.step, row);
    return found;
  }
}

/** Steps since the epoch, both included. */
interface Range {
  readonly stepMinutes: number;
  readonly first: number;
  readonly last: number;
}

function collect(found: Map<string, Map<number, Counters>>, id: string, step: number, row: SummedRow): void {
  const points = found.get(id) ?? new Map<number, Counters>();
  points.set(Number(step), fromRow(row));
  found.set(id, points);
}

function seriesOf(points: ReadonlyMap<number, Counters>, range: Range) {
  const totals = emptyCounters();
  const series = [];
  for (let step = range.first; step <= range.last; step++) {
    const counters = points.get(step) ?? emptyCounters();
    addCounters(totals, counters);
    series.push({ at: step * range.stepMinutes * MINUTE_MS, ...toTraffic(counters) });
  }
  return { totals: toTraffic(totals), series };
}

function toRow({ minute, siteId, popId, counters }: Gathered): TrafficRow {
  const [status_1xx, status_2xx, status_3xx, status_4xx, status_5xx] = counters.statusClasses;
  return {
    minute,
    site_id: siteId,
    pop_id: popId,
    requests: counters.requests,
    hits: counters.hits,
    misses: counters.misses,
    stale: counters.stale,
    errors: counters.errors,
    bytes_to_clients: counters.bytesToClients,
    bytes_from_origin: counters.bytesFromOrigin,
    first_byte_ms_total: counters.firstByteMsTotal,
    status_1xx,
    status_2xx,
    status_3xx,
    status_4xx,
    status_5xx,
  };
}

function fromRow(row: SummedRow): Counters {
  return {
    requests: Number(row.requests),
    hits: Number(row.hits),
    misses: Number(row.misses),
    stale: Number(row.stale),
    errors: Number(row.errors),
    bytesToClients: Number(row.bytes_to_clients),
    bytesFromOrigin: Number(row.bytes_from_origin),
    firstByteMsTotal: Number(row.first_byte_ms_total),
    statusClasses: [
      Number(row.status_1xx),
      Number(row.status_2xx),
      Number(row.status_3xx),
      Number(row.status_4xx),
      Number(row.status_5xx),
    ],
  };
}
