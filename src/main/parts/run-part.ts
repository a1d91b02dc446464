/**
 * The frame of a part's process: reads its options from the command line, starts it on the process bus,
 * tells the supervisor how that went, and ends it in order when asked to or when the supervisor is gone.
 *
 *   (loaded ─ begin) ─ start ─ ready ─ serve ─ end, hand-over ─ close ─ ended ─ goodbye ─ exit
 */
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { PartName } from '#core/model/messages.ts';
import type { Bus } from '#platform/bus.ts';
import { createLogger, type Logger } from '#platform/log.ts';
import { createProcessBus, tellSupervisor } from '#platform/process-bus.ts';
import type { SupervisorMessage } from '#platform/process-channel.ts';

/** Options every part receives beside its own. */
export interface PartOptions {
  readonly name: PartName;
  /** Loads its code and starts only when told to: its predecessor has to end first. */
  readonly isHeldBack?: boolean;
}

/** What a plane is started with, but for what only its own process can give it; plain, so that it travels as JSON. */
export type OptionsOf<PlaneOptions> = PartOptions & Omit<PlaneOptions, 'bus' | 'clock' | 'log'>;

export interface StartedPart {
  /** What the supervisor may print, such as the address it listens at. */
  readonly facts: Readonly<Record<string, string>>;
  /** Ends in order: what is under way finishes within its bound. May be called while handing over, to cut that short. */
  close(): Promise<void>;
  /** Ends in order and loses nothing to a successor that serves already. Parts without it close. */
  handOver?(withinMs: number): Promise<void>;
}

export interface PartContext<Options> {
  readonly options: Options;
  readonly bus: Bus;
  readonly log: Logger;
}

/** How long a part waits to hear that its last messages have arrived; a supervisor that is gone does not say. */
const GOODBYE_WITHIN_MS = 1_000;

/** Runs one part; never returns while it lives. The last argument of the command line is its options as JSON. */
export async function runPart<Options extends PartOptions>(
  start: (context: PartContext<Options>) => Promise<StartedPart>,
): Promise<void> {
  const options = JSON.parse(process.argv.at(-1) ?? '{}') as Options;
  const log = createLogger(options.name);
  const bus = createProcessBus(options.name);
  // A fault that nobody caught leaves the part in doubt: it ends, and the supervisor starts it afresh.
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (cause: unknown) => {
      log.fatal({ err: cause }, 'fault; this part ends and is started again');
      process.exit(1);
    });
  }
  // The signals of a terminal reach all its processes; the supervisor alone decides what then happens.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  let started: StartedPart | null = null;
  followOrders(() => started, log);
  if (options.isHeldBack) {
    tellSupervisor({ kind: 'loaded' });
    await heard('begin');
  }
  try {
    started = await start({ options, bus, log });
    tellSupervisor({ kind: 'ready', facts: started.facts });
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'internal';
    const message = errorMessage(error);
    if (code === 'internal') log.fatal({ err: error }, 'could not start');
    tellSupervisor({ kind: 'failed', code, message });
    await leave(1);
  }
}

/** Ends the part when told to, by whatever way. */
function followOrders(started: () => StartedPart | null, log: Logger): void {
  let closed: Promise<void> | null = null;
  async function end(handOverMs: number | null): Promise<void> {
    const part = started();
    // Nothing is under way in a part that has not started.
    if (part === null) process.exit(0);
    try {
      if (handOverMs !== null && part.handOver !== undefined) {
        await part.handOver(handOverMs);
      } else {
        closed ??= part.close();
        await closed;
      }
      await leave(0);
    } catch (error) {
      log.error({ err: error }, 'did not end in order');
      process.exit(1);
    }
  }
  process.on('message', (message: SupervisorMessage) => {
    if (message.kind === 'end') void end(null);
    else if (message.kind === 'hand-over') void end(message.withinMs);
  });
  process.on('SIGTERM', () => void end(null));
  process.on('disconnect', () => void end(null));
}

/** Exits when the supervisor has received everything that this part said. */
async function leave(exitCode: number): Promise<never> {
  if (process.connected) {
    tellSupervisor({ kind: 'ended' });
    await Promise.race([heard('goodbye'), Bun.sleep(GOODBYE_WITHIN_MS)]);
  }
  process.exit(exitCode);
}

function heard(kind: SupervisorMessage['kind']): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (message: SupervisorMessage) => {
      if (message.kind === kind) resolve();
    });
  });
}
