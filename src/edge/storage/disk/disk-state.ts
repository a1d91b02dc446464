/** How a disk is: what failed of late, so that it is left alone for a while, and what operators are told of it. */
import { errorMessage } from '#core/base/error-message.ts';
import type { Logger } from '#platform/log.ts';
import { STORAGE_LIMITS } from '../limits.ts';

export class DiskState {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #retryMs: number;
  #readsAgainAt = 0;
  #writesAgainAt = 0;
  #slowUntil = 0;
  #readProblem = '';
  #writeProblem = '';
  #faults = 0;

  /** `retryMs`: for how long it is left alone when it failed. */
  constructor(folder: string, log: Logger, retryMs: number) {
    this.#folder = folder;
    this.#retryMs = retryMs;
    this.#log = log;
  }

  /** What failed so far. */
  get faults(): number {
    return this.#faults;
  }

  get mayRead(): boolean {
    return this.#readsAgainAt === 0 || performance.now() >= this.#readsAgainAt;
  }

  get mayWrite(): boolean {
    return this.#writesAgainAt === 0 || performance.now() >= this.#writesAgainAt;
  }

  readFailed(error: unknown): void {
    this.#readProblem = errorMessage(error);
    this.#readsAgainAt = this.#failed('cannot be read', this.#readProblem, this.#readsAgainAt);
  }

  writeFailed(error: unknown): void {
    this.#writeProblem = errorMessage(error);
    this.#writesAgainAt = this.#failed('cannot be written', this.#writeProblem, this.#writesAgainAt);
  }

  wasRead(): void {
    this.#readsAgainAt = 0;
  }

  wasWritten(): void {
    this.#writesAgainAt = 0;
  }

  /** It does not write as fast as it is given to. */
  isSlow(): void {
    this.#slowUntil = performance.now() + STORAGE_LIMITS.diskRetryMs;
  }

  /** In words; null: all is well. */
  get problem(): string | null {
    if (this.#readsAgainAt !== 0) return `${this.#folder} cannot be read: ${this.#readProblem}`;
    if (this.#writesAgainAt !== 0) return `${this.#folder} cannot be written: ${this.#writeProblem}`;
    if (performance.now() < this.#slowUntil)
      return `${this.#folder} is too slow for all that is to be written`;
    return null;
  }

  /** Until when it is left alone. Logged when it begins. */
  #failed(what: string, cause: string, againAt: number): number {
    this.#faults++;
    if (againAt === 0) this.#log.error({ disk: this.#folder, cause }, `a disk ${what}`);
    return performance.now() + this.#retryMs;
  }
}
