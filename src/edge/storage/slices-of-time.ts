/** Long work beside requests: a little at a time. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work goes on before others have their turn, ms. */
const SLICE_MS = 2;

export class SlicesOfTime {
  #until = performance.now() + SLICE_MS;

  /** Resolves at once, or after others have had their turn. */
  async next(): Promise<void> {
    if (performance.now() < this.#until) return;
    await nextTurn();
    this.#until = performance.now() + SLICE_MS;
  }
}
