/**
 * One process of a part: starts it, says how that went, gives it a seat on the bus, and ends it, by force
 * when it does not end by itself. What its end means is its part's business (`supervised-part.ts`).
 */
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { PartName } from '#core/model/messages.ts';
import { restoreBacklog } from '#platform/listening-socket.ts';
import type { Logger } from '#platform/log.ts';
import type { PartMessage, SupervisorMessage } from '#platform/process-channel.ts';
import type { Hub, Member, Standing } from './hub.ts';
import { SUPERVISOR_LIMITS } from './limits.ts';
import type { PartPlan } from './part-plan.ts';

/**
 * Of the runtime's allocator: memory that was freed goes back to the system after a second. After a tenth, as is its
 * default, an edge that is busy gives back what it needs again at once: a tenth of the CPU of a miss.
 */
const ALLOCATOR_SETTINGS = { MIMALLOC_PURGE_DELAY: '1000' };

export type Facts = Readonly<Record<string, string>>;

export interface PartProcessOptions {
  readonly plan: PartPlan;
  /** Options of this process beside the plan's. */
  readonly more?: object;
  /** Its name on the bus. */
  readonly name: PartName;
  readonly standing: Standing;
  readonly hub: Hub;
  readonly log: Logger;
  /** Told once, when the process has ended: with its signal or exit code. */
  readonly onEnded: (process: PartProcess, how: string | number | null) => void;
}

export class PartProcess {
  readonly startedAt = Date.now();
  /** Rejects with AppError, in the part's own words, when it cannot start; never later than the deadline. */
  readonly ready: Promise<Facts>;
  /** Resolves when a part that is held back has loaded its code; rejects as `ready` does. */
  readonly loaded: Promise<void>;
  /** Resolves when it has ended and its part knows. */
  readonly exited: Promise<void>;
  readonly member: Member;
  readonly #options: PartProcessOptions;
  readonly #ready = Promise.withResolvers<Facts>();
  readonly #loaded = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  readonly #child: ReturnType<typeof Bun.spawn>;
  readonly #startDeadline: ReturnType<typeof setTimeout>;
  #endDeadline: ReturnType<typeof setTimeout> | undefined;
  #isUp = false;

  constructor(options: PartProcessOptions) {
    this.#options = options;
    this.ready = this.#ready.promise;
    this.loaded = this.#loaded.promise;
    this.exited = this.#exited.promise;
    // Not everybody who starts a process waits for it.
    this.ready.catch(() => undefined);
    this.loaded.catch(() => undefined);
    const { plan, more, name, standing, hub } = options;
    const words = plan.options === null ? [] : [JSON.stringify({ ...plan.options, ...more })];
    this.#child = Bun.spawn([process.execPath, ...plan.command, ...words], {
      stdio: ['ignore', 'inherit', 'inherit', ...plan.descriptors],
      serialization: 'json',
      // As it is now: without this a child sees the environment that this process began with.
      env: { ...ALLOCATOR_SETTINGS, ...process.env },
      ipc: (message: PartMessage) => this.#receive(message),
      onExit: (_, exitCode, signalCode) => this.#ended(signalCode ?? exitCode),
    });
    this.member = hub.join(name, standing, (message) => void this.#send(message));
    const { startMs } = SUPERVISOR_LIMITS;
    this.#startDeadline = setTimeout(
      () => this.#fail(new AppError('unavailable', `${plan.name} did not start within ${startMs / 1000} s`)),
      startMs,
    );
  }

  get pid(): number {
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Lets a part that is held back start. */
  begin(): void {
    this.#send({ kind: 'begin' });
  }

  /** Asks it to end in order, and kills it when it does not in time. */
  end(): Promise<void> {
    // One that is not up yet may not listen to messages; it has nothing under way.
    const hears = this.#isUp && this.#options.plan.options !== null;
    if (!hears || !this.#send({ kind: 'end' })) this.#child.kill('SIGTERM');
    return this.#endWithin(SUPERVISOR_LIMITS.stopMs);
  }

  /** The same, with a successor that takes over and with more time for what is under way. */
  handOver(withinMs: number): Promise<void> {
    if (!this.#send({ kind: 'hand-over', withinMs })) this.#child.kill('SIGTERM');
    return this.#endWithin(withinMs + SUPERVISOR_LIMITS.handOverMarginMs);
  }

  kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    return this.exited;
  }

  #endWithin(ms: number): Promise<void> {
    clearTimeout(this.#endDeadline);
    this.#endDeadline = setTimeout(() => this.#child.kill('SIGKILL'), ms);
    return this.exited;
  }

  /** False when it cannot hear any more: a part may die between two messages, and its channel before it. */
  #send(message: SupervisorMessage): boolean {
    if (!this.isAlive) return false;
    try {
      this.#child.send(message);
      return true;
    } catch (error) {
      const { plan, log } = this.#options;
      log.debug({ part: plan.name, cause: errorMessage(error) }, 'a message found its channel closed');
      return false;
    }
  }

  #receive(message: PartMessage): void {
    switch (message.kind) {
      case 'loaded':
        this.#loaded.resolve();
        break;
      case 'ready':
        clearTimeout(this.#startDeadline);
        this.#isUp = true;
        for (const descriptor of this.#options.plan.descriptors) restoreBacklog(descriptor);
        this.#ready.resolve(message.facts);
        break;
      case 'failed':
        this.#fail(new AppError(message.code, message.message));
        break;
      case 'ended':
        this.#send({ kind: 'goodbye' });
        break;
      default:
        this.#options.hub.receive(this.member, message);
    }
  }

  #fail(error: AppError): void {
    clearTimeout(this.#startDeadline);
    this.#loaded.reject(error);
    this.#ready.reject(error);
  }

  #ended(how: string | number | null): void {
    clearTimeout(this.#endDeadline);
    const { plan, hub, onEnded } = this.#options;
    this.#fail(new AppError('unavailable', `${plan.name} ended at its start (${how})`));
    hub.leave(this.member);
    onEnded(this, how);
    this.#exited.resolve();
  }
}
