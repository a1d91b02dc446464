/**
 * Asking the control plane for the purges that this worker has missed: it was not there yet, or not to be reached. Until
 * it answers, the worker goes by its journal; where nobody answers, nobody can have ordered anything.
 */
import { errorMessage } from '#core/base/error-message.ts';
import { PURGES_PER_PAGE, type PurgesPage } from '#core/model/messages.ts';
import type { Bus } from '#platform/bus.ts';
import { ROAD_LIMITS } from './limits.ts';
import { takePurge } from './purge.ts';
import type { PurgeJournal } from './purge-journal.ts';
import type { Road } from './road.ts';

/**
 * Resolves when this worker has in force all that is in the control plane's log, or the control plane does not answer;
 * never rejects.
 */
export async function catchUp(road: Road, bus: Bus, journal: PurgeJournal): Promise<void> {
  try {
    await takeMissed(road, bus, journal);
  } catch (error) {
    road.log.error({ cause: errorMessage(error) }, 'could not note purges that were missed');
  }
}

async function takeMissed(road: Road, bus: Bus, journal: PurgeJournal): Promise<void> {
  for (;;) {
    const after = road.purges.position;
    const page = await ask(bus, after);
    if (page === null) return;
    if (page.unknownBefore > after) road.purges.forgetBefore(page.unknownBefore);
    for (const purge of page.purges) takePurge(road, journal, purge);
    if (page.purges.length < PURGES_PER_PAGE) return;
  }
}

async function ask(bus: Bus, after: number): Promise<PurgesPage | null> {
  const { catchUpTimeoutMs: timeoutMs } = ROAD_LIMITS;
  for (const reply of await bus.request('purges-after', { position: after }, { timeoutMs })) {
    if (reply.ok) return reply.answer;
  }
  return null;
}
