/** Validation behind an answer already given (RFC 5861 §3): once per stored response at a time, within bounds. */
import { countLoops } from '#core/http/forwarding.ts';
import { collapseKeyOf } from './collapse.ts';
import type { Configuration, Place } from './configuration.ts';
import type { Exchange } from './exchange.ts';
import { performFill } from './fill.ts';
import { ROAD_LIMITS } from './limits.ts';
import type { Road } from './road.ts';
import type { StoredResponse } from './storage/storage.ts';

export function revalidateBehind(
  road: Road,
  exchange: Exchange,
  configuration: Configuration,
  place: Place,
  stored: StoredResponse,
): void {
  const { varyNames, varyValues } = stored.head;
  const collapseKey = collapseKeyOf(place.cacheKey, varyNames, varyValues);
  if (road.collapse.find(place.cacheKey, collapseKey) !== null) return;
  if (road.backgroundValidations >= ROAD_LIMITS.backgroundValidationsMax) return;
  if (countLoops(exchange.request.fields, configuration.cdnLoopName) > 0) return;
  const fill = road.collapse.begin(place.cacheKey, collapseKey, place.site.id);
  if (fill === null) return;
  road.backgroundValidations++;
  const errand = {
    // The stored response is one to GET, whatever method this request had.
    request: { ...exchange.request, method: 'GET' },
    connection: exchange.connection,
    body: null,
    configuration,
    place,
    condition: stored.head,
    informs: null,
    signal: null,
    isKeyed: true,
  };
  performFill(road, errand, stored, fill)
    .then((own) => own?.response.body.cancel('nobody waits for it'))
    .catch((error: unknown) => {
      road.recorder.count('faults');
      road.log.error({ err: error }, 'fault while validating in the background');
    })
    .finally(() => {
      road.backgroundValidations--;
    });
}
