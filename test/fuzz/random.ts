/** Chance that can be had again: the same seed gives the same numbers on every machine. */
import { combine32, mix32 } from '#core/base/mix32.ts';

export class Random {
  readonly #seed: number;
  #count = 0;

  /** `stream` tells the inputs of one run apart. */
  constructor(seed: number, stream: number) {
    this.#seed = combine32(seed, stream);
  }

  /** A whole number below `bound`. */
  below(bound: number): number {
    this.#count += 1;
    return mix32(combine32(this.#seed, this.#count)) % bound;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  /** Small numbers most of the time, up to `most`. */
  few(most: number): number {
    let count = 1;
    while (count < most && this.below(2) === 0) count += 1;
    return count;
  }
}
