/**
 * Performs one fetch whose response may be stored or shared: ask, then freshen or admit, then store while it is
 * shared. Whoever waits learns the outcome through the `Fill`; what is not for sharing is handed back to
 * the request that asked. No judgement here: it calls the pure ones and does what they say.
 */
import { admit, headForAsker } from '#core/caching/admit.ts';
import { urlKeyWithin } from '#core/caching/cache-key.ts';
import type { Admission } from '#core/caching/decision.ts';
import { freshen, mayFreshen } from '#core/caching/freshen.ts';
import { isFresh, isServerFailure, mayServeStaleOnError } from '#core/caching/freshness.ts';
import { invalidatedTargets, isUnsafe } from '#core/caching/invalidate.ts';
import { NOT_PURGED, PURGED } from '#core/caching/purge-table.ts';
import { soften } from '#core/caching/soften.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { invalidatedGroups } from '#core/caching/tags.ts';
import type { CacheSettings } from '#core/model/cache-settings.ts';
import { hostOf } from '#core/model/route.ts';
import { showsCertificate } from '#core/model/tls-policy.ts';
import { askOrigin, type Errand } from './ask-origin.ts';
import type { Fill } from './collapse.ts';
import { type Place, pathOf, settingsFor, urlKeyAt } from './configuration.ts';
import type { RequestHead } from './exchange.ts';
import { ROAD_LIMITS } from './limits.ts';
import type { OriginResponse } from './origin/origin-client.ts';
import type { Road } from './road.ts';
import { pathKeyOf, searchKeyOf } from './search-rules.ts';
import { SharedBody } from './shared-body.ts';
import { MemoryBodySource } from './storage/memory/memory-body-source.ts';
import { prepareHead } from './storage/prepared-head.ts';
import type { StorageWriter, StoredResponse } from './storage/storage.ts';

/** A response that is only for the request that fetched it. */
export interface OwnResponse {
  readonly response: OriginResponse;
  /** Why it is not shared, for Cache-Status. */
  readonly reason: string | null;
}

/**
 * Resolves when the fetch is over, or at once with the response when it is the asker's alone. Never rejects:
 * failures are outcomes. `stored`: what is being validated, as it lies in the storage.
 */
export async function performFill(
  road: Road,
  errand: Errand,
  stored: StoredResponse | null,
  fill: Fill,
): Promise<OwnResponse | null> {
  const began = beginning(road);
  let response: OriginResponse;
  try {
    response = await askOrigin(road, errand);
    if (response.status === 304 && stored !== null && !mayFreshen(stored.head, response.fields)) {
      // It speaks of some other response than ours (RFC 9111 §4.3.3): only the whole one helps.
      response.body.cancel('a 304 has none');
      response = await askOrigin(road, { ...errand, condition: 'none' });
    }
  } catch (error) {
    road.collapse.end(fill);
    fill.settle({ kind: 'failed', error });
    return null;
  }
  const stands = standsAfter(road, errand, began, () =>
    invalidateAfter(road, errand.request, errand.place, response, fill),
  );
  if (response.status === 304 && stored !== null) {
    response.body.cancel('a 304 has none');
    const freshened = freshenStored(road, errand.place, stored, response);
    road.collapse.end(fill);
    fill.settle({ kind: 'stored', response: freshened, forwardStatus: 304 });
    return null;
  }
  if (stored !== null && isServerFailure(response.status) && mayCover(road, errand.place, stored)) {
    road.collapse.end(fill);
    fill.settle({ kind: 'server-failure', status: response.status });
    return { response, reason: 'server-failure' };
  }
  const admission = admitResponse(errand, response, stands);
  if (admission.action === 'pass' || (admission.action === 'share' && fill.waiters < 2)) {
    // An origin in trouble is asked as little as possible: its errors do not end the collapsing.
    if (fill.isShared && response.status < 500) {
      road.collapse.markUncollapsible(fill.cacheKey, road.clock.now());
    }
    road.collapse.end(fill);
    fill.settle({ kind: 'alone' });
    return { response, reason: admission.reason };
  }
  await shareAndStore(road, fill, admission, response, errand.place);
  return null;
}

function mayCover(road: Road, place: Place, { head }: StoredResponse): boolean {
  const settings = settingsFor(place, head.fields.get('content-type') ?? '');
  return mayServeStaleOnError(head, road.clock.now(), settings, 'status');
}

async function shareAndStore(
  road: Road,
  fill: Fill,
  admission: Exclude<Admission, { action: 'pass' }>,
  response: OriginResponse,
  place: Place,
): Promise<void> {
  const { key, head } = placeBySearch(road, place, fill.cacheKey, admission.head);
  const mayStore = admission.action === 'store' && !fill.isInvalidated;
  if (mayStore) road.collapse.markCollapsible(key);
  const hasOriginAge = response.fields.has('age');
  const askersHead = headForAsker(head, response.fields);
  const mayPublish = () => !fill.isInvalidated && !road.purges.isPurged(head);
  const writer = mayStore ? road.storage.admit(key, head, response.body.length) : null;
  const whole = writer === null ? null : (response.body.takeWhole?.(ROAD_LIMITS.storedWholeBytesMax) ?? null);
  const isSole = response.body.isSole === true;
  const kept = writer === null || whole === null ? null : storeWhole(writer, whole, isSole, mayPublish);
  if (kept !== null && kept.stored !== null) {
    road.collapse.end(fill);
    const ownHead = askersHead === head ? null : askersHead;
    fill.settle({ kind: 'fetched', response: kept.stored, askersHead: ownHead, hasOriginAge });
    road.recorder.recordFromOrigin(head.siteId, kept.bytes.length);
    return;
  }
  // What came whole and could not be stored is served to those who wait.
  const source = kept === null ? response.body : new MemoryBodySource(kept.bytes);
  const filled = kept === null ? writer : null;
  const body = new SharedBody({
    source,
    writer: filled,
    mayPublish,
    finishes: place.settings.finishesFills,
    clock: road.clock,
  });
  const isStored = filled !== null;
  // What must be validated before its next use answers those who waited, and nobody who comes later.
  const mayBeJoined = isStored && !head.mustValidateAlways && isFresh(head, road.clock.now());
  if (!mayBeJoined) road.collapse.detach(fill);
  const detail = admission.action === 'share' ? admission.reason : null;
  fill.settle({ kind: 'shared', head, askersHead, body, isStored, detail, hasOriginAge });
  await body.run();
  road.collapse.end(fill);
  road.recorder.recordFromOrigin(head.siteId, body.arrived);
}

/**
 * Under which key a response is stored, and how purges know it: by what it says itself of which parts of its query
 * count (`search-rules.ts`).
 */
function placeBySearch(
  road: Road,
  place: Place,
  fillKey: string,
  head: StoredHead,
): { readonly key: string; readonly head: StoredHead } {
  const text = head.fields.get('no-vary-search');
  if (text === null && place.search === null) return { key: fillKey, head };
  const own = place.search === null ? place : place.search.own;
  // An error says nothing of the pages that are there otherwise.
  if (text === null && head.status >= 400) return { key: own.cacheKey, head };
  const rule = road.searchRules.learn(pathKeyOf(own), text);
  if (rule === null) return { key: own.cacheKey, head };
  return { key: searchKeyOf(own, rule), head: { ...head, searchPath: own.path } };
}

interface KeptWhole {
  /** Null: the storage gave up, or it was purged meanwhile. */
  readonly stored: StoredResponse | null;
  /** The body, wherever it is now. */
  readonly bytes: Uint8Array;
}

/** `isSole`: the body's memory is nobody else's, and the storage may keep it. */
function storeWhole(
  writer: StorageWriter,
  whole: Uint8Array,
  isSole: boolean,
  mayPublish: () => boolean,
): KeptWhole {
  if (!mayPublish()) {
    writer.abandon();
    return { stored: null, bytes: whole };
  }
  if (whole.length === 0) return { stored: writer.finish(), bytes: whole };
  if (!writer.write(whole, isSole)) return { stored: null, bytes: whole };
  const bytes = writer.view(0);
  return { stored: writer.finish(), bytes };
}

/** How far purges and invalidations were when a fetch began: later ones count for what it brings. */
export interface Beginning {
  readonly purgePosition: number;
  readonly sequence: number;
}

export function beginning({ purges, storage }: Road): Beginning {
  return { purgePosition: purges.position, sequence: storage.invalidations.sequence };
}

/**
 * From where on invalidations count for what a fetch brought, after those that it brings itself: an answer to POST
 * invalidates what is stored, and not itself. Unless another came for its URL in between.
 */
function standsAfter(road: Road, errand: Errand, began: Beginning, invalidate: () => void): Beginning {
  const { invalidations } = road.storage;
  const isUnsafeOne = isUnsafe(errand.request.method);
  const urlKey = urlKeyWithin(errand.place.cacheKey);
  const isOutdated = isUnsafeOne && invalidations.isUrlInvalidated(urlKey, began.sequence);
  invalidate();
  return isUnsafeOne && !isOutdated ? { ...began, sequence: invalidations.sequence } : began;
}

/** Also for what is read as the whole that it is a part of: `response` has that status and those fields then. */
export function admitResponse(errand: Errand, response: OriginResponse, began: Beginning): Admission {
  const { request, place } = errand;
  // What was cut or framed twice on its way must not become everybody's.
  if (response.isEndDoubtful === true) return { action: 'pass', reason: 'doubtful-end' };
  return admit({
    method: request.method,
    requestFields: request.fields,
    hasClientCertificate: showsCertificate(errand.connection.tls),
    status: response.status,
    reason: response.reason,
    responseFields: response.fields,
    requestedAt: response.requestedAt,
    respondedAt: response.respondedAt,
    settings: settingsOfResponse(place, response),
    host: hostOf(place.authority),
    path: place.keyTarget,
    ...began,
  });
}

export function settingsOfResponse(place: Place, response: OriginResponse): CacheSettings {
  return settingsFor(place, response.fields.get('content-type') ?? '');
}

/**
 * Updates a stored response from a 304, or from the answer to a HEAD. Purges that came while the origin was asked are
 * judged by what the response was before: its tags may be others now.
 */
export function freshenStored(
  road: Road,
  place: Place,
  stored: StoredResponse,
  response: OriginResponse,
): StoredResponse {
  // A 304 may leave the type out: it is the stored one's then.
  const contentType = response.fields.get('content-type') ?? stored.head.fields.get('content-type') ?? '';
  const head = freshen(stored.head, {
    responseFields: response.fields,
    requestedAt: response.requestedAt,
    respondedAt: response.respondedAt,
    settings: settingsFor(place, contentType),
  });
  const asOf = road.purges.staleAsOf(stored.head);
  if (asOf === PURGED) return withHead(stored, head);
  const judged = asOf === NOT_PURGED ? head : soften(head, asOf, road.purges.position);
  return replaceHead(road, place.cacheKey, stored, judged);
}

/** The stored response with another head. When it is gone from the storage by now, it still answers who asked. */
export function replaceHead(
  road: Road,
  key: string,
  stored: StoredResponse,
  head: StoredHead,
): StoredResponse {
  return road.storage.freshen(key, stored, head) ?? withHead(stored, head);
}

/** The same body with another head, outside of the storage. */
export function withHead(stored: StoredResponse, head: StoredHead): StoredResponse {
  const { body, bodyLength } = stored;
  return {
    head,
    prepared: prepareHead(head),
    body,
    bodyLength,
    open: (start, end) => stored.open(start, end),
  };
}

/** After an unsafe request that succeeded (RFC 9111 §4.4): what it may have changed is not used any more. */
export function invalidateAfter(
  road: Road,
  request: RequestHead,
  place: Place,
  response: OriginResponse,
  own: Fill | null,
): void {
  const { method, authority } = request;
  if (!isUnsafe(method)) return;
  const targets = invalidatedTargets({
    method,
    status: response.status,
    target: place.normalTarget,
    authority,
    responseFields: response.fields,
  });
  if (targets.length === 0) return;
  const { invalidations } = road.storage;
  const groups = invalidatedGroups(response.fields);
  for (const group of groups) invalidations.addGroup(place.site.id, hostOf(authority), group);
  // Which fetches under way are in a group shows only at their heads.
  if (groups.length > 0) road.collapse.detachSite(place.site.id);
  for (const normalTarget of targets) {
    if (!road.searchRules.isEmpty) invalidations.addSearches(place.site.id, pathOf(normalTarget));
    for (const scheme of ['http', 'https'] as const) {
      const key = urlKeyAt(place.site, scheme, authority, normalTarget);
      road.collapse.invalidate(key, own);
      if (road.storage.remove(key) > 0) road.recorder.count('invalidations');
    }
  }
}
