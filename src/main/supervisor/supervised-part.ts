/**
 * One part kept running: started again with back-off when it dies, replaced by a fresh process on request,
 * ended in the end. At most one process is the part; a successor may be starting beside it, and former ones
 * may be finishing what they had under way.
 *
 *                ┌─────── died: back-off ───────┐
 *   start ──▶ current ◀── promoted ── successor │
 *                └── replaced ──▶ former ──▶ gone
 */
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { Logger } from '#platform/log.ts';
import { BACKOFF, restartDelayMs } from './backoff.ts';
import type { Hub } from './hub.ts';
import { SUPERVISOR_LIMITS } from './limits.ts';
import type { PartPlan } from './part-plan.ts';
import { type Facts, PartProcess } from './part-process.ts';

export class SupervisedPart {
  readonly #plan: PartPlan;
  readonly #hub: Hub;
  readonly #log: Logger;
  #current: PartProcess | null = null;
  #successor: PartProcess | null = null;
  readonly #formers = new Map<PartProcess, number>();
  /** Whether it has ever been up: a part that never was is not tried again. */
  #wasReady = false;
  /** How often in a row it died young. */
  #failures = 0;
  #restart: ReturnType<typeof setTimeout> | null = null;
  #isStopping = false;

  constructor(plan: PartPlan, hub: Hub, log: Logger) {
    this.#plan = plan;
    this.#hub = hub;
    this.#log = log;
  }

  get processId(): number | null {
    return this.#current?.pid ?? null;
  }

  /** Former processes that are still finishing. */
  get formers(): number {
    return this.#formers.size;
  }

  /** Starts it for the first time. Throws AppError when it cannot start. */
  async start(): Promise<Facts> {
    this.#current = this.#spawn();
    const facts = await this.#current.ready;
    this.#wasReady = true;
    return facts;
  }

  /**
   * Puts a fresh process, which runs the code as it is on disk now, in the place of the one that runs; what
   * that has under way may take `drainMs`. Throws AppError when the successor does not start: the one that
   * runs then goes on, and nothing was lost. (Not so `in-turn`, when it fails after it has loaded: then the
   * part is down, and tried again with back-off.)
   */
  async replace(drainMs: number): Promise<void> {
    await this.#awaitRoom();
    if (this.#isStopping) throw endingError();
    this.#cancelRestart();
    try {
      if (this.#plan.replacement === 'in-turn') await this.#replaceInTurn();
      else await this.#replaceOverlapping(drainMs);
      this.#failures = 0;
    } catch (error) {
      // A stop ends the successor too, in order.
      if (this.#isStopping) throw endingError();
      await this.#successor?.kill();
      throw new AppError(
        error instanceof AppError ? error.code : 'internal',
        `the new ${this.#plan.name} does not start: ${errorMessage(error)}`,
        { cause: error },
      );
    } finally {
      this.#successor = null;
      if (this.#current === null) this.#scheduleRestart();
    }
  }

  /** From now on nothing of it is started: its end is near, by our doing or by that of a signal to all processes. */
  expectEnd(): void {
    this.#isStopping = true;
    this.#cancelRestart();
  }

  /** Ends it in order, with every process of it. */
  async stop(): Promise<void> {
    this.expectEnd();
    await Promise.all(this.#processes().map((process) => process.end()));
  }

  /** Ends it at once; what is under way breaks off. */
  kill(): void {
    this.expectEnd();
    for (const process of this.#processes()) void process.kill();
  }

  async #replaceOverlapping(drainMs: number): Promise<void> {
    const successor = this.#spawnSuccessor({ generationMin: this.#hub.generation });
    await successor.ready;
    this.#refuseUnlessAlive(successor);
    const former = this.#retireCurrent();
    this.#promote(successor);
    void former?.handOver(drainMs);
  }

  async #replaceInTurn(): Promise<void> {
    const successor = this.#spawnSuccessor({ isHeldBack: true });
    await successor.loaded;
    this.#refuseUnlessAlive(successor);
    await this.#retireCurrent()?.end();
    successor.begin();
    await successor.ready;
    this.#refuseUnlessAlive(successor);
    this.#promote(successor);
  }

  #spawnSuccessor(more: object): PartProcess {
    const name = `${this.#plan.name}~next`;
    this.#successor = new PartProcess({ ...this.#way, name, standing: 'next', more });
    return this.#successor;
  }

  #retireCurrent(): PartProcess | null {
    const former = this.#current;
    if (former === null) return null;
    this.#current = null;
    const number = this.#freeNumber();
    this.#formers.set(former, number);
    this.#hub.retire(former.member, `${this.#plan.name}~former${number}`);
    return former;
  }

  #promote(successor: PartProcess): void {
    this.#current = successor;
    this.#hub.promote(successor.member, this.#plan.name);
    this.#log.info({ replaced: this.#plan.name, process: successor.pid }, 'part replaced');
  }

  #refuseUnlessAlive(successor: PartProcess): void {
    if (this.#isStopping) throw endingError();
    if (!successor.isAlive) throw new AppError('unavailable', 'it died as soon as it was up');
  }

  async #awaitRoom(): Promise<void> {
    while (this.#formers.size >= SUPERVISOR_LIMITS.formersMax) {
      await Promise.race([...this.#formers.keys()].map((former) => former.exited));
    }
  }

  /** Small numbers, used again: names of former processes become labels of metrics. */
  #freeNumber(): number {
    const taken = new Set(this.#formers.values());
    let number = 1;
    while (taken.has(number)) number += 1;
    return number;
  }

  get #way() {
    const onEnded = this.#ended.bind(this);
    return { plan: this.#plan, hub: this.#hub, log: this.#log, onEnded };
  }

  #spawn(): PartProcess {
    return new PartProcess({ ...this.#way, name: this.#plan.name, standing: 'serving' });
  }

  #processes(): PartProcess[] {
    return [this.#current, this.#successor, ...this.#formers.keys()].filter((process) => process !== null);
  }

  #ended(process: PartProcess, how: string | number | null): void {
    if (this.#formers.delete(process)) {
      if (how !== 0) this.#log.warn({ former: this.#plan.name, how }, 'former process did not end in order');
      return;
    }
    if (process !== this.#current) return;
    this.#current = null;
    if (this.#isStopping || !this.#wasReady) return;
    if (Date.now() - process.startedAt >= BACKOFF.healthyAfterMs) this.#failures = 0;
    this.#log.error({ died: this.#plan.name, how }, 'part died; it is started again');
    // A successor that is on its way takes the place.
    if (this.#successor === null) this.#scheduleRestart();
  }

  #scheduleRestart(): void {
    if (this.#isStopping || this.#restart !== null) return;
    const delayMs = restartDelayMs(this.#failures);
    this.#failures += 1;
    this.#restart = setTimeout(() => {
      this.#restart = null;
      const process = this.#spawn();
      this.#current = process;
      process.ready.catch((error: unknown) => {
        if (this.#isStopping) return;
        this.#log.error({ failed: this.#plan.name, cause: errorMessage(error) }, 'part could not start');
        void process.kill();
      });
    }, delayMs);
  }

  #cancelRestart(): void {
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
  }
}

function endingError(): AppError {
  return new AppError('unavailable', 'Perigee is ending');
}
