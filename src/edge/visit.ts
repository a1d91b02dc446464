/**
 * One request that has to wait for something, taken once at the entrance and passed down the road. A hit
 * needs none. It knows what to let go of when the client leaves.
 */
import type { Configuration, Place } from './configuration.ts';
import type { Exchange } from './exchange.ts';

export class Visit {
  readonly exchange: Exchange;
  readonly configuration: Configuration;
  /** As it was found last: what counts of a query may have been learnt since. */
  place: Place;
  /** How often it waited for a fetch that was not for it. */
  attempts = 0;
  /** What the response is known to vary on from such a fetch. */
  varyNames: readonly string[] | null = null;
  #release: ((reason: string) => void) | null = null;

  constructor(exchange: Exchange, configuration: Configuration, place: Place) {
    this.exchange = exchange;
    this.configuration = configuration;
    this.place = place;
    exchange.onGone(() => {
      const release = this.#release;
      this.#release = null;
      release?.('the client has gone');
    });
  }

  /** What to do when the client leaves from now on, in place of what was to be done before. */
  atGone(release: ((reason: string) => void) | null): void {
    if (release !== null && this.exchange.isGone) release('the client has gone');
    else this.#release = release;
  }
}
