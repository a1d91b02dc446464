/**
 * Whose turn it is to write: a worker does one thing at a time, and a kernel that takes whole bodies would let a
 * few hundred large downloads keep everybody else waiting for seconds. So only so many bytes are written between
 * two looks at the network; who has more to write waits in line, and gets one part at a time.
 *
 *     spend … spend ─ over ─▶ wait, wait, wait …  ─ network ─▶  onTurn, onTurn ─ over ─▶ the others next time
 */

export interface TurnTaker {
  /** Its turn has come. */
  onTurn(): void;
}

/** Places in line after which those taken are cleared away. */
const TAKEN_MAX = 1024;

export class WriteTurns {
  readonly #bytesPerTurn: number;
  #left: number;
  /** In line; those before `#next` have had their turn. */
  #line: TurnTaker[] = [];
  #next = 0;
  #isScheduled = false;

  constructor(bytesPerTurn: number) {
    this.#bytesPerTurn = bytesPerTurn;
    this.#left = bytesPerTurn;
  }

  /** Whether enough has been written for now. */
  get isOver(): boolean {
    return this.#left <= 0;
  }

  /** Whether others are in line, who should not wait for more than a part of one body. */
  get hasWaiting(): boolean {
    return this.#next < this.#line.length;
  }

  /** Counts what is written, or will be by somebody who is let go on. */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left <= 0) this.#schedule();
  }

  /** Calls `taker` once, behind those who wait already. */
  wait(taker: TurnTaker): void {
    this.#line.push(taker);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#begin());
  }

  #begin(): void {
    this.#isScheduled = false;
    this.#left = this.#bytesPerTurn;
    // Those who ask again while it lasts wait for the next.
    const end = this.#line.length;
    while (this.#next < end && this.#left > 0) {
      const taker = this.#line[this.#next] as TurnTaker;
      this.#next += 1;
      taker.onTurn();
    }
    if (this.#next === this.#line.length) {
      this.#line = [];
      this.#next = 0;
      return;
    }
    if (this.#next > TAKEN_MAX) {
      this.#line = this.#line.slice(this.#next);
      this.#next = 0;
    }
    this.#schedule();
  }
}
