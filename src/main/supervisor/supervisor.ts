/**
 * Keeps the parts of Perigee running: starts each in a process of its own, starts it again with back-off
 * when it dies, carries the bus between them (`hub.ts`), replaces them on request, and ends them in order. A
 * crash stays in its part.
 */
import type { PartName } from '#core/model/messages.ts';
import type { Logger } from '#platform/log.ts';
import { Hub } from './hub.ts';
import type { PartPlan } from './part-plan.ts';
import type { Facts } from './part-process.ts';
import { SupervisedPart } from './supervised-part.ts';

export class Supervisor {
  readonly #hub = new Hub();
  readonly #log: Logger;
  readonly #parts = new Map<PartName, SupervisedPart>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Starts a part and waits until it says that it is up; returns the facts it reports. Throws AppError
   * with the part's own words when it cannot start; such a part is not tried again.
   */
  start(plan: PartPlan): Promise<Facts> {
    const part = new SupervisedPart(plan, this.#hub, this.#log);
    this.#parts.set(plan.name, part);
    return part.start();
  }

  /** Replaces the process of a part by a fresh one; see `SupervisedPart.replace`. One call at a time. */
  async replace(name: PartName, drainMs: number): Promise<void> {
    await this.#parts.get(name)?.replace(drainMs);
  }

  /** Process id of a live part, for tests and messages; null when it is not running. */
  processId(name: PartName): number | null {
    return this.#parts.get(name)?.processId ?? null;
  }

  /** Former processes of all parts that are still finishing what they had under way. */
  get formers(): number {
    let formers = 0;
    for (const part of this.#parts.values()) formers += part.formers;
    return formers;
  }

  /** Generation of the configuration that was published last; 0 before the first. */
  get generation(): number {
    return this.#hub.generation;
  }

  /** Ends the parts group by group: first those that serve users (they drain), last what they lean on. */
  async stop(order: readonly (readonly PartName[])[]): Promise<void> {
    for (const part of this.#parts.values()) part.expectEnd();
    for (const names of order) await Promise.all(names.map((name) => this.#parts.get(name)?.stop()));
  }

  /** Ends every part at once; what is under way breaks off. */
  kill(): void {
    for (const part of this.#parts.values()) part.kill();
  }
}
