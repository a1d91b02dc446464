/**
 * Deadlines by one coarse tick. A timer per request would cost an allocation and two system calls' worth
 * of work each; here setting a deadline is storing a number, and every tick compares them all.
 */

/** Milliseconds between ticks: deadlines are kept to this precision, never early. */
const TICK_MS = 50;

export interface Timed {
  /** On the scale of `Deadlines.now`; Infinity: none. */
  deadlineAt: number;
  /** Called once the moment has passed; must move or clear the deadline. */
  onDeadline(): void;
}

export class Deadlines {
  readonly #watched = new Set<Timed>();
  #timer: ReturnType<typeof setInterval> | null = null;

  /** Milliseconds on a clock that never jumps: an hour set back must not prolong a wait. */
  now(): number {
    return performance.now();
  }

  watch(timed: Timed): void {
    this.#watched.add(timed);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  forget(timed: Timed): void {
    this.#watched.delete(timed);
    if (this.#watched.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  #tick(): void {
    const now = this.now();
    for (const timed of this.#watched) {
      if (timed.deadlineAt > now) continue;
      timed.deadlineAt = Number.POSITIVE_INFINITY;
      timed.onDeadline();
    }
  }
}
