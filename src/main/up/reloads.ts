/**
 * Reloads: each part is replaced by a process that runs the code as it is on disk now, one after the other.
 * Edges come first and control last: who reads configurations is new before who writes them. A part that
 * does not start ends the reload; it and those after it go on as they were.
 */
import { AppError, type AppErrorCode } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { PartName } from '#core/model/messages.ts';
import type { Logger } from '#platform/log.ts';
import type { PartPlan } from '../supervisor/part-plan.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

/** What a reload did; travels as JSON. */
export interface ReloadReport {
  /** Number of the reload since the start. */
  readonly reload: number;
  readonly replaced: readonly PartName[];
  /** Parts that run on as they were. */
  readonly kept: readonly PartName[];
  /** Why it ended before all were replaced; null when nothing went wrong. */
  readonly failure: { readonly code: AppErrorCode; readonly message: string } | null;
  /** Generation of the configuration in force. */
  readonly generation: number;
  /** Former processes that are finishing what they have under way, and how long they may. */
  readonly formers: number;
  readonly drainSeconds: number;
}

export interface ReloadsOptions {
  readonly supervisor: Pick<Supervisor, 'replace' | 'formers' | 'generation'>;
  readonly order: readonly PartPlan[];
  readonly drainMs: number;
  /** Resolves when every part answers with the configuration in force; throws AppError when that takes too long. */
  readonly allHealthy: () => Promise<unknown>;
  readonly log: Logger;
}

export class Reloads {
  readonly #options: ReloadsOptions;
  #running: Promise<ReloadReport> | null = null;
  #next: Promise<ReloadReport> | null = null;
  #count = 0;

  constructor(options: ReloadsOptions) {
    this.#options = options;
  }

  /**
   * Reloads; never rejects. While a reload is under way, which may have started processes before the code
   * changed, one more is made after it, for everybody who asked meanwhile.
   */
  request(): Promise<ReloadReport> {
    if (this.#running === null) {
      this.#running = this.#reload().finally(() => {
        this.#running = null;
      });
      return this.#running;
    }
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.request();
    });
    return this.#next;
  }

  async #reload(): Promise<ReloadReport> {
    const { supervisor, order, drainMs, allHealthy, log } = this.#options;
    this.#count += 1;
    const names = order.filter(({ replacement }) => replacement !== 'never').map(({ name }) => name);
    const replaced: PartName[] = [];
    let failure: ReloadReport['failure'] = null;
    try {
      for (const name of names) {
        await supervisor.replace(name, drainMs);
        replaced.push(name);
      }
      await allHealthy();
    } catch (error) {
      failure = { code: error instanceof AppError ? error.code : 'internal', message: errorMessage(error) };
      log.error({ cause: failure.message, replaced }, 'reload failed');
    }
    return {
      reload: this.#count,
      replaced,
      kept: names.slice(replaced.length),
      failure,
      generation: supervisor.generation,
      formers: supervisor.formers,
      drainSeconds: drainMs / 1000,
    };
  }
}
