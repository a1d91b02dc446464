/** A range of a response that is stored in slices: each is read where it lies, or fetched when its turn comes. */
import { representationOf, sliceAt, sliceKeyOf, sliceRange } from '#core/caching/slices.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { Fields } from '#core/http/fields.ts';
import type { ByteRange } from '#core/http/ranges.ts';
import type { FillOutcome } from './collapse.ts';
import type { Place } from './configuration.ts';
import type { BodySource } from './exchange.ts';
import { ROAD_LIMITS } from './limits.ts';
import { PartialSource } from './partial-source.ts';
import type { Road } from './road.ts';
import { lookUp, lookUpAtOnce, select } from './select-response.ts';
import { fetchSlice, type SliceErrand } from './slice-fetch.ts';
import type { StoredResponse } from './storage/storage.ts';

const NO_SLICE = 'the origin does not send this slice any more';

export class SlicedSource implements BodySource {
  readonly length: number;
  readonly #road: Road;
  readonly #errand: SliceErrand;
  readonly #head: StoredHead;
  readonly #end: number;
  #position: number;
  #current: BodySource | null = null;
  #isCancelled = false;

  /** `first`: the whole slice that the range begins in, where that is at hand. */
  constructor(road: Road, errand: SliceErrand, head: StoredHead, range: ByteRange, first: BodySource | null) {
    this.#road = road;
    this.#errand = errand;
    this.#head = head;
    this.#position = range.start;
    this.#end = range.end;
    this.length = range.end - range.start;
    if (first !== null) this.#current = new PartialSource(first, this.#wanted());
  }

  /** Rejects when the origin fails, or has another representation by now: parts of two must never meet. */
  async read(): Promise<Uint8Array | null> {
    while (!this.#isCancelled && this.#position < this.#end) {
      this.#current ??= await this.#open();
      const part = await this.#current.read();
      if (part === null) {
        this.#current = null;
        continue;
      }
      this.#position += part.byteLength;
      return part;
    }
    return null;
  }

  trailers(): null {
    return null;
  }

  cancel(reason: string): void {
    this.#isCancelled = true;
    this.#current?.cancel(reason);
  }

  /** What is wanted of the slice that the position is in, from that slice's first byte on. */
  #wanted(): ByteRange {
    const { start, end } = sliceRange(sliceAt(this.#position), this.#head.completeLength);
    return { start: this.#position - start, end: Math.min(this.#end, end) - start };
  }

  async #open(): Promise<BodySource> {
    const { place, request } = this.#errand;
    const slice = sliceAt(this.#position);
    const wanted = this.#wanted();
    let stored = storedSlice(this.#road, place, this.#head, request.fields, slice, false);
    if (stored instanceof Promise) {
      await stored;
      stored = storedSlice(this.#road, place, this.#head, request.fields, slice, true);
    }
    if (stored instanceof Promise) throw new Error('what may wait has waited');
    if (stored !== null) return stored.open(wanted.start, wanted.end);
    const whole = await this.#fetch(slice);
    if (this.#isCancelled) whole.cancel('the client has gone');
    return new PartialSource(whole, wanted);
  }

  #fetch(slice: number): Promise<BodySource> {
    return new Promise((resolve, reject) => {
      const onOutcome = (outcome: FillOutcome): void => {
        const source = this.#sourceOf(outcome);
        if (source instanceof Error) reject(source);
        else resolve(source);
      };
      fetchSlice(this.#road, this.#errand, slice, onOutcome)
        .then((own) => {
          own?.response.body.cancel('it is no slice');
          if (own !== null) reject(new Error(NO_SLICE));
        })
        .catch(reject);
    });
  }

  #sourceOf(outcome: FillOutcome): BodySource | Error {
    if (outcome.kind === 'failed') return new Error('the origin failed', { cause: outcome.error });
    if (outcome.kind !== 'shared') return new Error(NO_SLICE);
    if (representationOf(outcome.head) !== representationOf(this.#head)) {
      return new Error('the origin has another representation by now');
    }
    return outcome.body.open() ?? new Error('the slice came too fast to be followed');
  }
}

/** A slice of the representation, as it is stored; null: it is not. A promise where a disk has to be waited for first. */
function storedSlice(
  road: Road,
  place: Place,
  head: StoredHead,
  fields: Fields,
  slice: number,
  mayWait: boolean,
): StoredResponse | Promise<void> | null {
  const slicePlace = { ...place, cacheKey: sliceKeyOf(place.cacheKey, head, slice) };
  const variants = (mayWait ? lookUp : lookUpAtOnce)(road, slicePlace);
  if (variants instanceof Promise) return variants;
  const stored = select(fields, variants);
  const { start, end } = sliceRange(slice, head.completeLength);
  return stored?.bodyLength === end - start ? stored : null;
}

/** Whether all slices of a range are stored, as far as that is worth finding out; a promise as above. */
export function areStored(
  road: Road,
  place: Place,
  head: StoredHead,
  fields: Fields,
  range: ByteRange,
  mayWait: boolean,
): boolean | Promise<void> {
  const [first, last] = [sliceAt(range.start), sliceAt(range.end - 1)];
  if (last - first >= ROAD_LIMITS.slicesLookedForMax) return false;
  const cold: Promise<void>[] = [];
  for (let slice = first; slice <= last; slice++) {
    const stored = storedSlice(road, place, head, fields, slice, mayWait);
    if (stored === null) return false;
    if (stored instanceof Promise) cold.push(stored);
  }
  return cold.length === 0 ? true : Promise.all(cold).then(() => undefined);
}
