/**
 * Passes a request on for one client alone, streaming both ways: what is never stored goes here, and what
 * turned out not to be for sharing ends here.
 */
import type { ForwardReason } from '#core/caching/decision.ts';
import { judgeHead, outdate } from '#core/caching/freshen.ts';
import { appendCacheStatus, formatCacheStatus } from '#core/http/cache-status.ts';
import { responseFields } from '#core/http/forwarding.ts';
import { askOrigin, type Errand, errandOf } from './ask-origin.ts';
import { announcedLength } from './connection/message-form.ts';
import { freshenStored, invalidateAfter, type OwnResponse, replaceHead, settingsOfResponse } from './fill.ts';
import { ROAD_LIMITS } from './limits.ts';
import { CACHE_NAME, VIA_PSEUDONYM } from './names.ts';
import type { OriginResponse } from './origin/origin-client.ts';
import { relay } from './relay.ts';
import { replaceBrowserTtl } from './respond.ts';
import type { Road } from './road.ts';
import type { StoredResponse } from './storage/storage.ts';
import type { Visit } from './visit.ts';

/** Asks the origin for this client; when the client leaves, the origin is let go. Rejects with the failure. */
export async function askForOne(
  road: Road,
  visit: Visit,
  condition: Errand['condition'],
  isKeyed: boolean,
): Promise<OriginResponse> {
  const given = new AbortController();
  visit.atGone(() => given.abort());
  const errand = errandOf(visit, condition, given.signal, isKeyed);
  const response = await askOrigin(road, errand);
  invalidateAfter(road, errand.request, errand.place, response, null);
  return response;
}

/** Hands an origin's response to the client as it is. */
export async function respondOwn(
  road: Road,
  visit: Visit,
  own: OwnResponse,
  forward: ForwardReason,
): Promise<void> {
  const { exchange, place } = visit;
  const { response, reason } = own;
  const { status, body } = response;
  const fields = responseFields({ fields: response.fields, httpVersion: '1.1', via: VIA_PSEUDONYM });
  const member = formatCacheStatus(CACHE_NAME, {
    isHit: false,
    forward,
    ...(reason === null ? {} : { detail: reason }),
  });
  fields.set('Cache-Status', appendCacheStatus(fields.get('cache-status'), member));
  if (isBrowserTtlWanted(exchange.request.method, status)) {
    const ttlSeconds = settingsOfResponse(place, response).browserTtlSeconds;
    if (ttlSeconds !== null) replaceBrowserTtl(fields, ttlSeconds, 0);
  }
  const { alternative } = exchange.connection;
  if (alternative !== null) fields.append('Alt-Svc', alternative.value);
  const firstByteAt = road.clock.now();
  const isHead = exchange.request.method === 'HEAD';
  const head = { status, reason: response.reason, fields };
  const whole = isHead ? null : (body.takeWhole?.(ROAD_LIMITS.wholeBytesMax) ?? null);
  const siteId = place.site.id;
  let bytes: number;
  if (whole === null) {
    visit.atGone((why) => body.cancel(why));
    const length = isHead ? announcedLength(response.fields) : body.length;
    ({ bytes } = await relay(body, exchange.respondStream(head, length)));
  } else {
    bytes = whole.length;
    exchange.respondWhole(head, whole);
  }
  road.recorder.recordFromOrigin(siteId, bytes);
  road.recorder.record({ exchange, siteId, handling: forward, status, bodyBytes: bytes, firstByteAt });
}

function isBrowserTtlWanted(method: string, status: number): boolean {
  return (method === 'GET' || method === 'HEAD') && status < 400;
}

/**
 * What the answer to a HEAD says of the stored response to GET (RFC 9111 §4.3.5). Returns the stored
 * response when the answer is to come from it: it was validated.
 */
export function applyHeadResponse(
  road: Road,
  visit: Visit,
  stored: StoredResponse,
  response: OriginResponse,
): StoredResponse | null {
  const { place } = visit;
  if (response.status === 304) {
    response.body.cancel('a 304 has none');
    return freshenStored(road, place, stored, response);
  }
  switch (judgeHead(stored.head, stored.bodyLength, response.status, response.fields)) {
    case 'update':
      freshenStored(road, place, stored, response);
      return null;
    case 'outdate':
      replaceHead(road, place.cacheKey, stored, outdate(stored.head));
      return null;
    case 'ignore':
      return null;
  }
}
