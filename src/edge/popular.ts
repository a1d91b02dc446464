/**
 * Which stored responses are used most of late, from a sample of the uses: one in 32, at distances by chance, in windows of
 * five minutes.
 */
import { HeavyHitters } from '#core/base/heavy-hitters.ts';
import type { PopularResponse } from '#core/model/messages.ts';
import type { Clock } from '#platform/clock.ts';
import type { Place } from './configuration.ts';
import { ROAD_LIMITS } from './limits.ts';
import type { StoredResponse } from './storage/storage.ts';

const SAMPLED_ONE_IN = 32;
const WINDOW_MS = 300_000;

type Described = Omit<PopularResponse, 'uses'>;

export class Popular {
  readonly #clock: Clock;
  #left = 1;
  #current = new HeavyHitters<Described>(ROAD_LIMITS.popularPlaces);
  #former: HeavyHitters<Described> | null = null;
  #beganAt: number;
  #formerBeganAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beganAt = clock.now();
  }

  /** A stored response is used. */
  used(place: Place, stored: StoredResponse, now: number): void {
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#left = 1 + Math.floor(Math.random() * (2 * SAMPLED_ONE_IN - 1));
    this.#turn(now);
    this.#current.add(place.cacheKey, SAMPLED_ONE_IN, () => ({
      url: `${place.origin}${place.keyTarget}`.slice(0, ROAD_LIMITS.loggedTargetCharactersMax),
      siteId: place.site.id,
      bodyLength: stored.bodyLength,
    }));
  }

  /** The most used first, within the last five to ten minutes. */
  top(limit: number): { readonly since: number; readonly responses: readonly PopularResponse[] } {
    this.#turn(this.#clock.now());
    const uses = new Map<string, PopularResponse>();
    const { popularPlaces } = ROAD_LIMITS;
    const counted = [...this.#current.top(popularPlaces), ...(this.#former?.top(popularPlaces) ?? [])];
    for (const { key, count, value } of counted) {
      uses.set(key, { ...value, uses: count + (uses.get(key)?.uses ?? 0) });
    }
    const responses = [...uses.values()].sort((a, b) => b.uses - a.uses).slice(0, limit);
    return { since: this.#former === null ? this.#beganAt : this.#formerBeganAt, responses };
  }

  #turn(now: number): void {
    if (now - this.#beganAt < WINDOW_MS) return;
    const isLongAgo = now - this.#beganAt >= 2 * WINDOW_MS;
    this.#former = isLongAgo ? null : this.#current;
    this.#formerBeganAt = this.#beganAt;
    this.#current = new HeavyHitters(ROAD_LIMITS.popularPlaces);
    this.#beganAt = now;
  }
}
