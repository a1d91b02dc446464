/**
 * The most frequent of very many, counted in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi, ICDT 2005). A newcomer
 * takes the place of the least frequent and its count, so that none is counted too low, and none too high by more than
 * all counts divided by the number of places.
 */
export class HeavyHitters<T> {
  readonly #places: number;
  readonly #counted = new Map<string, { count: number; value: T }>();

  /** `places`: how many are kept. */
  constructor(places: number) {
    this.#places = places;
  }

  /** `describe` is called where the key is new here. */
  add(key: string, amount: number, describe: () => T): void {
    const known = this.#counted.get(key);
    if (known !== undefined) {
      known.count += amount;
      return;
    }
    const inherited = this.#counted.size < this.#places ? 0 : this.#dropLeast();
    this.#counted.set(key, { count: inherited + amount, value: describe() });
  }

  /** The most frequent first. */
  top(limit: number): { readonly key: string; readonly count: number; readonly value: T }[] {
    return [...this.#counted]
      .map(([key, { count, value }]) => ({ key, count, value }))
      .sort((a, b) => b.count - a.count)
      .slice(0, limit);
  }

  /** The count of whoever went. */
  #dropLeast(): number {
    let leastKey = '';
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { count }] of this.#counted) {
      if (count >= least) continue;
      least = count;
      leastKey = key;
    }
    this.#counted.delete(leastKey);
    return least;
  }
}
