/**
 * How the parts are: who answered, with which generation, what is missing. One question to the bus serves
 * everybody who asks within a moment, as /health and /metrics are open to all.
 */
import type { Health, PartView, Status } from '#core/contract/status.ts';
import type { EdgeHealth, PartName, PartStatus } from '#core/model/messages.ts';
import type { Bus, Reply } from '#platform/bus.ts';
import type { Clock } from '#platform/clock.ts';
import type { Logger } from '#platform/log.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import type { Publisher } from '../publish/publisher.ts';

export interface PartsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly publisher: Publisher;
  readonly zoneName: string;
  readonly expectedParts: readonly PartName[];
  readonly log: Logger;
}

/** One look at all parts. */
export interface Census {
  readonly parts: readonly PartView[];
  /** What the parts answered, this one included. */
  readonly answers: readonly PartStatus[];
  readonly missing: readonly PartName[];
  readonly generation: number;
}

export class Parts {
  readonly #options: PartsOptions;
  readonly #startedAt: number;
  #census: Promise<Census> | null = null;
  /** By the monotonic clock: when the look is too old to be used again. */
  #staleAt = 0;
  #wasOk = false;

  constructor(options: PartsOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  /** What the control plane itself answers to `status`. */
  ownStatus(): PartStatus {
    return {
      part: this.#options.bus.self,
      generation: this.#options.publisher.generation,
      startedAt: this.#startedAt,
      residentBytes: process.memoryUsage.rss(),
      storage: null,
      counters: {},
    };
  }

  take(): Promise<Census> {
    if (this.#census === null || (this.#staleAt > 0 && performance.now() >= this.#staleAt)) {
      this.#staleAt = 0;
      this.#census = this.#ask().finally(() => {
        this.#staleAt = performance.now() + CONTROL_LIMITS.statusReuseMs;
      });
    }
    return this.#census;
  }

  async health(): Promise<Health> {
    const { missing, generation } = await this.take();
    const status = this.#judge(missing);
    const zone = this.#options.zoneName;
    return status === 'ok'
      ? { status, zone, generation }
      : { status, zone, generation, missing: [...missing] };
  }

  /** `Status` but for what the database and the composition know. */
  async status(): Promise<Pick<Status, 'status' | 'zone' | 'generation' | 'parts' | 'missing' | 'health'>> {
    const [{ parts, missing, generation }, health] = await Promise.all([this.take(), this.#edgeHealth()]);
    return {
      status: this.#judge(missing),
      zone: this.#options.zoneName,
      generation,
      parts: [...parts],
      missing: [...missing],
      health,
    };
  }

  #judge(missing: readonly PartName[]): Health['status'] {
    if (missing.length === 0) this.#wasOk = true;
    if (missing.length === 0) return 'ok';
    return this.#wasOk ? 'degraded' : 'starting';
  }

  async #ask(): Promise<Census> {
    const { bus, publisher, expectedParts } = this.#options;
    const generation = publisher.generation;
    const others = await bus.request('status', null, { timeoutMs: CONTROL_LIMITS.statusTimeoutMs });
    const replies: Reply<'status'>[] = [
      { from: bus.self, ok: true, answer: this.ownStatus() },
      ...others.filter(({ from }) => from !== bus.self),
    ];
    const published = publisher.generation;
    const parts = replies.map((reply) => viewOf(reply, generation, published));
    const answered = new Set(parts.map(({ part }) => part));
    for (const part of expectedParts) {
      if (!answered.has(part)) parts.push(silent(part, 'is not running, or not yet'));
    }
    const ready = new Set(parts.filter(({ state }) => state === 'ready').map(({ part }) => part));
    // By their names on the bus: while a part is replaced, two processes answer that know themselves by one.
    const answers = replies.flatMap((reply) => (reply.ok ? [{ ...reply.answer, part: reply.from }] : []));
    this.#noticeLaterGenerations(answers);
    return {
      parts: parts.sort((a, b) => (a.part < b.part ? -1 : 1)),
      answers,
      missing: expectedParts.filter((part) => !ready.has(part)),
      generation,
    };
  }

  #noticeLaterGenerations(answers: readonly PartStatus[]): void {
    const { publisher, log } = this.#options;
    const latest = Math.max(0, ...answers.map(({ generation }) => generation));
    if (latest <= publisher.generation) return;
    publisher.noticeGeneration(latest).catch((error: unknown) => {
      log.error({ cause: String(error) }, 'could not publish above a later generation');
    });
  }

  /** The table of the first name server that answers; they agree, as all hear the same heartbeats. */
  async #edgeHealth(): Promise<EdgeHealth[]> {
    const replies = await this.#options.bus.request('health', null, {
      timeoutMs: CONTROL_LIMITS.statusTimeoutMs,
    });
    for (const reply of replies) if (reply.ok) return [...reply.answer];
    return [];
  }
}

/**
 * `generation` was in force when the part was asked, `published` when it had answered. A later one is not
 * ours: it stems from a database that is gone, and the part refuses what we say until we have gone above it.
 */
function viewOf(reply: Reply<'status'>, generation: number, published: number): PartView {
  if (!reply.ok) return silent(reply.from, reply.error);
  const { answer } = reply;
  const isReady = answer.generation >= generation && answer.generation <= published;
  return {
    part: reply.from,
    state: isReady ? 'ready' : 'behind',
    generation: answer.generation,
    startedAt: answer.startedAt,
    residentBytes: answer.residentBytes,
    storage: storageOf(answer),
    error: isReady ? null : `has generation ${answer.generation}, current is ${generation}`,
  };
}

/** A process of a former release, which finishes after a reload, says less. */
function storageOf({ storage }: PartStatus): PartView['storage'] {
  if (storage === null) return null;
  const { problem = null, tiers = [] } = storage as Partial<typeof storage>;
  return { ...storage, problem, tiers: [...tiers] };
}

function silent(part: PartName, error: string): PartView {
  return {
    part,
    state: 'silent',
    generation: null,
    startedAt: null,
    residentBytes: null,
    storage: null,
    error,
  };
}
