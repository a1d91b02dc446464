/** Long work beside requests: a little at a time. Whoever does it asks whether its slice is over, and then waits. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work goes on before others have their turn, ms. */
const SLICE_MS = 2;

export class SlicesOfTime {
  #until = performance.now() + SLICE_MS;

  get isOver(): boolean {
    return performance.now() >= this.#until;
  }

  /** Resolves when others have had their turn: the next slice begins. */
  async next(): Promise<void> {
    await nextTurn();
    this.#until = performance.now() + SLICE_MS;
  }
}
