/** What may be written to a disk in a second; what is not used adds up for a while, and what is too much is owed. */

/** For how long an unused budget adds up, s. */
const BUDGET_SECONDS = 10;

export class WriteBudget {
  readonly #bytesPerSecond: number | null;
  #bytes = 0;
  #at = performance.now();

  /** Null: as much as comes. */
  constructor(bytesPerSecond: number | null) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  get isLeft(): boolean {
    if (this.#bytesPerSecond === null) return true;
    const now = performance.now();
    const grown = this.#bytes + ((now - this.#at) / 1000) * this.#bytesPerSecond;
    this.#bytes = Math.min(grown, BUDGET_SECONDS * this.#bytesPerSecond);
    this.#at = now;
    return this.#bytes > 0;
  }

  spend(bytes: number): void {
    this.#bytes -= bytes;
  }
}
