/**
 * Two tiers as one: bodies up to a bound lie in the `small` one, larger ones in the `large` one. A body whose length is
 * not known begins in the first and moves to the second when it outgrows it. Of one variant only the newest is kept,
 * wherever it is.
 */
import type { Invalidations } from '#core/caching/invalidations.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import type { Storage, StorageStatistics, StorageWriter, StoredResponse, TierFigures } from './storage.ts';
import { WriterAround } from './writer-around.ts';

export class TieredStorage implements Storage {
  readonly invalidations: Invalidations;
  readonly #small: Storage;
  readonly #large: Storage;
  readonly #smallBytesMax: number;

  /** `smallBytesMax`: the largest body for the first, bytes. Both go by the same invalidations. */
  constructor(small: Storage, large: Storage, smallBytesMax: number) {
    this.invalidations = small.invalidations;
    this.#small = small;
    this.#large = large;
    this.#smallBytesMax = smallBytesMax;
  }

  lookup(cacheKey: string): readonly StoredResponse[] {
    return newestFirst(this.#small.lookup(cacheKey), this.#large.lookup(cacheKey));
  }

  /** Both are in memory. */
  lookupAtOnce(cacheKey: string): readonly StoredResponse[] {
    return this.lookup(cacheKey);
  }

  peek(cacheKey: string): readonly StoredResponse[] {
    return newestFirst(this.#small.peek(cacheKey), this.#large.peek(cacheKey));
  }

  admit(cacheKey: string, head: StoredHead, bodyLength: number | null): StorageWriter | null {
    const isLarge = bodyLength !== null && bodyLength > this.#smallBytesMax;
    const writer = (isLarge ? this.#large : this.#small).admit(cacheKey, head, bodyLength);
    if (writer === null) return null;
    const former = isLarge ? this.#small : this.#large;
    const forgetFormer = (): void => former.forget(cacheKey, head);
    if (bodyLength !== null) return new TierWriter(writer, forgetFormer);
    const outgrow = (): StorageWriter | null => {
      const larger = this.#large.admit(cacheKey, head, null);
      return larger === null ? null : new TierWriter(larger, () => this.#small.forget(cacheKey, head));
    };
    return new OutgrowingWriter(new TierWriter(writer, forgetFormer), this.#smallBytesMax, outgrow);
  }

  freshen(cacheKey: string, stored: StoredResponse, head: StoredHead): StoredResponse | null {
    return this.#small.freshen(cacheKey, stored, head) ?? this.#large.freshen(cacheKey, stored, head);
  }

  remove(cacheKey: string): number {
    return this.#small.remove(cacheKey) + this.#large.remove(cacheKey);
  }

  forget(cacheKey: string, head: StoredHead): void {
    this.#small.forget(cacheKey, head);
    this.#large.forget(cacheKey, head);
  }

  statistics(): StorageStatistics {
    return addStatistics([this.#small.statistics(), this.#large.statistics()]);
  }

  tiers(): readonly TierFigures[] {
    return [...this.#small.tiers(), ...this.#large.tiers()];
  }

  async close(): Promise<void> {
    await this.#small.close();
    await this.#large.close();
  }
}

export function addStatistics(parts: readonly StorageStatistics[]): StorageStatistics {
  const sum = {
    storedResponses: 0,
    bodyBytes: 0,
    chargedBytes: 0,
    budgetBytes: 0,
    admissions: 0,
    evictions: 0,
    refusals: 0,
    hits: 0,
  };
  for (const figures of parts) {
    for (const name of Object.keys(sum) as (keyof StorageStatistics)[]) sum[name] += figures[name];
  }
  return sum;
}

function newestFirst(
  small: readonly StoredResponse[],
  large: readonly StoredResponse[],
): readonly StoredResponse[] {
  if (large.length === 0) return small;
  if (small.length === 0) return large;
  return [...small, ...large].sort((a, b) => b.head.respondedAt - a.head.respondedAt);
}

/** A fill of one tier, of which others are told when it is published: what it replaces goes from there. */
export class TierWriter extends WriterAround {
  readonly #published: (stored: StoredResponse) => void;

  constructor(inner: StorageWriter, published: (stored: StoredResponse) => void) {
    super(inner);
    this.#published = published;
  }

  override finish(): StoredResponse | null {
    const stored = super.finish();
    if (stored !== null) this.#published(stored);
    return stored;
  }
}

/** A fill of unknown length. */
export class OutgrowingWriter extends WriterAround {
  readonly #bytesMax: number;
  #outgrow: (() => StorageWriter | null) | null;
  #written = 0;

  constructor(inner: StorageWriter, bytesMax: number, outgrow: () => StorageWriter | null) {
    super(inner);
    this.#bytesMax = bytesMax;
    this.#outgrow = outgrow;
  }

  override write(bytes: Uint8Array, isGiven = false): boolean {
    this.#written += bytes.byteLength;
    if (this.#outgrow !== null && this.#written > this.#bytesMax && !this.#move(this.#outgrow)) return false;
    return super.write(bytes, isGiven);
  }

  /** To the tier for larger ones, with what has come so far. Without room there the fill is given up. */
  #move(outgrow: () => StorageWriter | null): boolean {
    const small = this.inner;
    const larger = outgrow();
    const soFar = small.view(0);
    small.abandon();
    if (larger === null || (soFar.byteLength > 0 && !larger.write(soFar))) return false;
    this.#outgrow = null;
    this.inner = larger;
    return true;
  }
}
