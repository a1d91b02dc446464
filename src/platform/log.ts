/** Logs: one JSON line per event on standard error, by pino. Secrets never enter a log line. */
import pino, { type Logger } from 'pino';

export type { Logger };

/** `part` is the part of Perigee that speaks; the level comes from PERIGEE_LOG (default `info`). */
export function createLogger(part: string): Logger {
  return pino(
    {
      base: { part },
      level: process.env.PERIGEE_LOG ?? 'info',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** A logger that says nothing, for tests. */
export function createSilentLogger(): Logger {
  return pino({ level: 'silent' });
}
