/**
 * Where clients are, for sites whose cache keys know countries. The compiled database is opened when the first of
 * them asks; until it is there, addresses are in `NO_COUNTRY`.
 */
import { errorMessage } from '#core/base/error-message.ts';
import { parseAddress } from '#core/ip/address.ts';
import { countryOf, type GeoRegister, type GeoTable, lookupGeo } from '#core/ip/geo-table.ts';
import type { Clock } from '#platform/clock.ts';
import { openGeoFile } from '#platform/geo-file.ts';
import type { Logger } from '#platform/log.ts';
import { ROAD_LIMITS } from './limits.ts';

/** Two letters that no country has (ISO 3166-1, user-assigned). */
export const NO_COUNTRY = 'XX';

export class Geography {
  readonly #file: string | null;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #found: GeoRegister = { place: 0, scope: 0 };
  #table: GeoTable | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;

  /** `file`: null where this edge has none. */
  constructor(file: string | null, clock: Clock, log: Logger) {
    this.#file = file;
    this.#clock = clock;
    this.#log = log;
  }

  /** Two letters (ISO 3166-1). */
  countryOf(address: string): string {
    const table = this.#table ?? this.#open();
    const parsed = table === null ? null : parseAddress(address);
    if (table === null || parsed === null) return NO_COUNTRY;
    lookupGeo(table, parsed, this.#found);
    return countryOf(table, this.#found.place) ?? NO_COUNTRY;
  }

  /** Tried again now and then: the file may be in the making. */
  #open(): GeoTable | null {
    const now = this.#clock.now();
    if (this.#file === null || now - this.#triedAt < ROAD_LIMITS.geographyRetryMs) return null;
    this.#triedAt = now;
    try {
      this.#table = openGeoFile(this.#file);
    } catch (error) {
      this.#log.warn({ cause: errorMessage(error) }, 'no geography yet: countries in cache keys are unknown');
    }
    return this.#table;
  }
}
