/** Waiting for a condition, never for a time. */
import { setTimeout as sleep } from 'node:timers/promises';

const DEADLINE_MS = 30_000;

/** Resolves with the first value that is neither false nor null; rejects when none comes in time. */
export async function until<T>(
  what: string,
  look: () => Promise<T | false | null> | T | false | null,
): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const seen = await look();
    if (seen !== false && seen !== null) return seen;
    if (Date.now() > deadline) throw new Error(`did not come true within ${DEADLINE_MS} ms: ${what}`);
    await sleep(10);
  }
}
