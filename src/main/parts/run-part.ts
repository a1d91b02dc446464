/**
 * The frame of a part's process: reads its options from the command line, starts it on the process bus,
 * tells the supervisor how that went, and ends it in order when asked to or when the supervisor is gone.
 */
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { PartName } from '#core/model/messages.ts';
import type { Bus } from '#platform/bus.ts';
import { createLogger, type Logger } from '#platform/log.ts';
import { createProcessBus, tellSupervisor } from '#platform/process-bus.ts';

/** Options every part receives beside its own. */
export interface PartOptions {
  readonly name: PartName;
}

/** What a plane is started with, but for what only its own process can give it; plain, so that it travels as JSON. */
export type OptionsOf<PlaneOptions> = PartOptions & Omit<PlaneOptions, 'bus' | 'clock' | 'log'>;

export interface StartedPart {
  /** What the supervisor may print, such as the address it listens at. */
  readonly facts: Readonly<Record<string, string>>;
  /** Ends in order: what is under way finishes within its bound. */
  close(): Promise<void>;
}

export interface PartContext<Options> {
  readonly options: Options;
  readonly bus: Bus;
  readonly log: Logger;
}

/** A message must leave through the channel before the process ends. */
const CHANNEL_FLUSH_MS = 50;

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
  try {
    const started = await start({ options, bus, log });
    endInOrder(started, log);
    tellSupervisor({ kind: 'ready', facts: started.facts });
  } catch (error) {
    const code = error instanceof AppError ? error.code : 'internal';
    const message = errorMessage(error);
    if (code === 'internal') log.fatal({ err: error }, 'could not start');
    tellSupervisor({ kind: 'failed', code, message });
    setTimeout(() => process.exit(1), CHANNEL_FLUSH_MS);
  }
}

function endInOrder(started: StartedPart, log: Logger): void {
  let isEnding = false;
  async function end(): Promise<void> {
    if (isEnding) return;
    isEnding = true;
    try {
      await started.close();
      process.exit(0);
    } catch (error) {
      log.error({ err: error }, 'did not end in order');
      process.exit(1);
    }
  }
  process.on('SIGTERM', () => void end());
  // Ctrl-C reaches every process of the terminal; the supervisor alone decides what then happens.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => void end());
}
