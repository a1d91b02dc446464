/**
 * What one thread answers from: the view in force, replaced whole as zone, geography and health come in, and
 * the memory that answering reuses. Listeners hand it packets; where state comes from is none of its business.
 */
import { type AnswerScratch, answerQuery, createScratch } from '#core/authority/answer.ts';
import type { CompiledZone } from '#core/authority/compiled-zone.ts';
import { type AuthorityView, createView, withHealth } from '#core/authority/view.ts';
import type { IpAddress } from '#core/ip/address.ts';
import type { GeoTable } from '#core/ip/geo-table.ts';
import type { EdgeHealth } from '#core/model/messages.ts';
import { openGeoFile } from '#platform/geo-file.ts';
import { type CounterBlock, countAnswer } from './counters.ts';

/** News for a thread; plain, so that it passes between threads. */
export type AnswererNews =
  | { readonly kind: 'zone'; readonly zone: CompiledZone }
  | { readonly kind: 'health'; readonly health: readonly EdgeHealth[] }
  /** A file whose checksum is right has appeared at the path. */
  | { readonly kind: 'geo'; readonly path: string };

export class LiveAnswerer {
  readonly #scratch: AnswerScratch;
  readonly #counters: CounterBlock;
  #view: AuthorityView | null = null;
  #zone: CompiledZone | null = null;
  #geo: GeoTable | null = null;
  #health: readonly EdgeHealth[] = [];

  /** `identity` is what NSID tells clients who ask. */
  constructor(identity: string, counters: CounterBlock) {
    this.#scratch = createScratch(identity);
    this.#counters = counters;
  }

  /** The view in force; null before the first zone. */
  get view(): AuthorityView | null {
    return this.#view;
  }

  /** Takes news over. Throws AppError `unavailable` for a geography file that cannot be used. */
  receive(news: AnswererNews): void {
    if (news.kind === 'health') {
      this.#health = news.health;
      if (this.#view !== null) this.#view = withHealth(this.#view, news.health);
      return;
    }
    if (news.kind === 'zone') this.#zone = news.zone;
    else this.#geo = openGeoFile(news.path, true);
    if (this.#zone !== null) this.#view = createView(this.#zone, this.#geo, this.#health);
  }

  /** Answers one query and counts it; returns the response's length in `output`, 0 for none. */
  answer(
    input: Uint8Array,
    length: number,
    resolver: IpAddress,
    output: Uint8Array,
    isStream: boolean,
  ): number {
    const answered = answerQuery(this.#view, this.#scratch, input, length, resolver, output, isStream);
    countAnswer(this.#counters, isStream, this.#scratch.rcode, output, answered);
    return answered;
  }
}
