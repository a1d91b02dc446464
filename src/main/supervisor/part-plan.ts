/** What a part is, to whoever runs it. */
import type { PartName } from '#core/model/messages.ts';

/**
 * How a new process takes the place of the one that runs:
 * - `overlapping`: it starts and serves beside the old one, which then ends. Both take from the same sockets.
 * - `in-turn`: it loads its code, then the old one ends, then it starts; for parts that must be alone.
 * - `never`: it is started again when it dies, and otherwise left alone.
 */
export type Replacement = 'overlapping' | 'in-turn' | 'never';

/** How to start one part. */
export interface PartPlan {
  readonly name: PartName;
  /** Arguments of the runtime: file, then words of the part's own. */
  readonly command: readonly string[];
  /** Options, handed over as the last argument, as JSON (`parts/run-part.ts`); null: not a part in that frame. */
  readonly options: object | null;
  /** Descriptors of sockets that the process inherits as 3, 4, …  */
  readonly descriptors: readonly number[];
  readonly replacement: Replacement;
}
