/**
 * How the model changes: one transaction, then a new snapshot, then a short wait until the parts that are
 * alive have it in force, so that who is answered may rely on the change.
 */
import type { Bus } from '#platform/bus.ts';
import type { Database, DatabaseTransaction } from '../database/schema.ts';
import { CONTROL_LIMITS } from '../limits.ts';
import type { Publisher } from '../publish/publisher.ts';

export type Change = <Result>(work: (transaction: DatabaseTransaction) => Promise<Result>) => Promise<Result>;

export interface ChangeOptions {
  readonly database: Database;
  readonly publisher: Publisher;
  readonly bus: Bus;
}

/** Makes the function that services change the model with. It rejects with what `work` rejects with. */
export function createChange({ database, publisher, bus }: ChangeOptions): Change {
  return async (work) => {
    const result = await database.transaction().execute(work);
    await settle(bus, await publisher.publish());
    return result;
  };
}

/** Waits until every part that answers has the generation. A silent part is not waited for: it catches up. */
async function settle(bus: Bus, generation: number): Promise<void> {
  const deadline = performance.now() + CONTROL_LIMITS.settleTimeoutMs;
  for (;;) {
    const replies = await bus.request('status', null, { timeoutMs: CONTROL_LIMITS.settleReplyMs });
    const isBehind = replies.some(
      (reply) => reply.ok && reply.from !== bus.self && reply.answer.generation < generation,
    );
    if (!isBehind || performance.now() + CONTROL_LIMITS.settlePollMs >= deadline) return;
    await new Promise((resolve) => setTimeout(resolve, CONTROL_LIMITS.settlePollMs));
  }
}
