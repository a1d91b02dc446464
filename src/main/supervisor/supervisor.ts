/**
 * Keeps the parts of Perigee running: starts each in a process of its own, starts it again with back-off
 * when it dies, carries the bus between them (`hub.ts`), and ends them in order. A crash stays in its part.
 */

import { AppError } from '#core/base/app-error.ts';
import type { PartName } from '#core/model/messages.ts';
import type { Logger } from '#platform/log.ts';
import type { PartMessage } from '#platform/process-channel.ts';
import { BACKOFF, restartDelayMs } from './backoff.ts';
import { Hub } from './hub.ts';

/** How to start one part. */
export interface PartPlan {
  readonly name: PartName;
  /** Arguments of the runtime: file, then the part's own. */
  readonly command: readonly string[];
  /** Descriptors the process inherits as 3, 4, …  */
  readonly descriptors: readonly number[];
}

/** A part must be up within this time at the first start. */
const START_DEADLINE_MS = 60_000;
/** A part asked to end is killed after this time; edges drain within it. */
const STOP_DEADLINE_MS = 15_000;

interface Running {
  readonly plan: PartPlan;
  process: ReturnType<typeof Bun.spawn>;
  startedAt: number;
  failures: number;
  restart: ReturnType<typeof setTimeout> | null;
}

export class Supervisor {
  readonly #hub = new Hub();
  readonly #log: Logger;
  readonly #running = new Map<PartName, Running>();
  readonly #starting = new Map<
    PartName,
    (message: Extract<PartMessage, { kind: 'ready' | 'failed' }>) => void
  >();
  #isStopping = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Starts a part and waits until it says that it is up; returns the facts it reports. Throws AppError
   * with the part's own words when it cannot start; such a part is not tried again.
   */
  async start(plan: PartPlan): Promise<Readonly<Record<string, string>>> {
    const outcome = new Promise<Readonly<Record<string, string>>>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new AppError('unavailable', `${plan.name} did not start within ${START_DEADLINE_MS / 1000} s`),
          ),
        START_DEADLINE_MS,
      );
      this.#starting.set(plan.name, (message) => {
        clearTimeout(timer);
        this.#starting.delete(plan.name);
        if (message.kind === 'ready') resolve(message.facts);
        else reject(new AppError(message.code, message.message));
      });
    });
    const running: Running = {
      plan,
      process: this.#spawn(plan),
      startedAt: Date.now(),
      failures: 0,
      restart: null,
    };
    this.#running.set(plan.name, running);
    return outcome;
  }

  /** Process id of a live part, for tests and messages; null when it is not running. */
  processId(name: PartName): number | null {
    return this.#running.get(name)?.process.pid ?? null;
  }

  /** Ends the parts group by group: first those that serve users (they drain), last what they lean on. */
  async stop(order: readonly (readonly PartName[])[]): Promise<void> {
    this.#isStopping = true;
    for (const names of order) await Promise.all(names.map((name) => this.#stopPart(name)));
  }

  /** Ends every part at once; what is under way breaks off. */
  kill(): void {
    this.#isStopping = true;
    for (const { process, restart } of this.#running.values()) {
      if (restart !== null) clearTimeout(restart);
      process.kill('SIGKILL');
    }
  }

  async #stopPart(name: PartName): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    if (running.restart !== null) clearTimeout(running.restart);
    running.process.kill('SIGTERM');
    const deadline = setTimeout(() => running.process.kill('SIGKILL'), STOP_DEADLINE_MS);
    await running.process.exited;
    clearTimeout(deadline);
    this.#running.delete(name);
  }

  #spawn(plan: PartPlan): ReturnType<typeof Bun.spawn> {
    const child: ReturnType<typeof Bun.spawn> = Bun.spawn([process.execPath, ...plan.command], {
      stdio: ['ignore', 'inherit', 'inherit', ...plan.descriptors],
      serialization: 'json',
      // As it is now: without this a child sees the environment that this process began with.
      env: { ...process.env },
      ipc: (message: PartMessage) => this.#receive(plan.name, child, message),
      onExit: (_, exitCode, signalCode) => this.#ended(plan, child, signalCode ?? exitCode),
    });
    this.#hub.join(plan.name, (message) => {
      // A part may die between two messages; what is sent then is lost with it.
      if (child.exitCode === null && child.signalCode === null) child.send(message);
    });
    return child;
  }

  #receive(name: PartName, child: unknown, message: PartMessage): void {
    const running = this.#running.get(name);
    if (running !== undefined && running.process !== child) return;
    if (message.kind === 'ready' || message.kind === 'failed') {
      const starting = this.#starting.get(name);
      if (starting !== undefined) starting(message);
      else if (message.kind === 'failed')
        this.#log.error({ failed: name, cause: message.message }, 'part could not start');
    } else {
      this.#hub.receive(name, message);
    }
  }

  #ended(plan: PartPlan, child: unknown, how: string | number | null): void {
    const running = this.#running.get(plan.name);
    if (running === undefined || running.process !== child) return;
    this.#hub.leave(plan.name);
    if (this.#isStopping) return;
    const starting = this.#starting.get(plan.name);
    if (starting !== undefined) {
      this.#running.delete(plan.name);
      starting({ kind: 'failed', code: 'unavailable', message: `${plan.name} ended at its start (${how})` });
      return;
    }
    if (Date.now() - running.startedAt >= BACKOFF.healthyAfterMs) running.failures = 0;
    const delayMs = restartDelayMs(running.failures);
    running.failures += 1;
    this.#log.error({ died: plan.name, how, restartMs: delayMs }, 'part died; it is started again');
    running.restart = setTimeout(() => {
      running.restart = null;
      running.process = this.#spawn(plan);
      running.startedAt = Date.now();
    }, delayMs);
  }
}
