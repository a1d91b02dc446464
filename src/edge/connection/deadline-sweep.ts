/**
 * One timer for all deadlines of a listener: every tick each guarded connection looks at its own. Setting
 * a deadline is then an assignment, which a request can afford; 50,000 connections cost about a
 * millisecond per tick. Ticks are counted, not read from a clock: a stopped process or a clock set forward
 * expires nothing at once.
 */

/** A deadline that never comes; a small integer, so that comparing stays cheap. */
export const NEVER = 0x3fff_ffff;

export interface Guarded {
  /** Called every tick with the number of this tick. */
  onTick(tick: number): void;
}

export class DeadlineSweep {
  readonly #guarded = new Set<Guarded>();
  readonly #tickMs: number;
  #timer: ReturnType<typeof setInterval> | null = null;
  tick = 0;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** Ticks after which at least `ms` have passed. */
  ticks(ms: number): number {
    return Math.ceil(ms / this.#tickMs) + 1;
  }

  add(guarded: Guarded): void {
    this.#guarded.add(guarded);
    if (this.#timer === null) {
      this.#timer = setInterval(() => this.#advance(), this.#tickMs);
      this.#timer.unref();
    }
  }

  delete(guarded: Guarded): void {
    this.#guarded.delete(guarded);
    if (this.#guarded.size === 0) this.close();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #advance(): void {
    this.tick += 1;
    for (const guarded of this.#guarded) guarded.onTick(this.tick);
  }
}
