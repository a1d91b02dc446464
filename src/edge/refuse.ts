/** Answers the edge gives itself, because it cannot or will not give the site's. */
import { formatCacheStatus } from '#core/http/cache-status.ts';
import { Fields } from '#core/http/fields.ts';
import { formatProxyStatus } from '#core/http/proxy-status.ts';
import type { TlsRefusal } from '#core/model/tls-policy.ts';
import type { NoPlace } from './configuration.ts';
import type { Exchange } from './exchange.ts';
import { describeFailure } from './failures.ts';
import { ROAD_LIMITS } from './limits.ts';
import { CACHE_NAME, VIA_PSEUDONYM } from './names.ts';
import {
  BAD_TARGET_TEXT,
  LOOP_TEXT,
  makePage,
  NOT_CONFIGURED_TEXT,
  NOT_STORED_TEXT,
  type PageText,
  SWITCHED_OFF_TEXT,
  TLS_REFUSAL_TEXTS,
  TOO_BUSY_TEXT,
  TRACE_TEXT,
  UNKNOWN_PROTOCOL_TEXT,
  unknownHostText,
} from './pages.ts';
import type { Road } from './road.ts';

interface Refusal {
  readonly text: PageText;
  /** Why, as a word of Cache-Status details and of the counter `refusals_…`. */
  readonly detail: string;
  readonly forward?: string;
  readonly proxyStatus?: string;
  readonly asksToRetry?: boolean;
  readonly allow?: string;
}

export function refuseUnconfigured(road: Road, exchange: Exchange): void {
  refuse(road, exchange, null, { text: NOT_CONFIGURED_TEXT, detail: 'not_configured', asksToRetry: true });
}

export function refuseUnplaced(road: Road, exchange: Exchange, why: NoPlace): void {
  if (why === 'bad-target') {
    refuse(road, exchange, null, { text: BAD_TARGET_TEXT, detail: 'bad_target' });
    return;
  }
  const text = unknownHostText(exchange.request.authority);
  refuse(road, exchange, null, { text, detail: 'unknown_host' });
}

/** The connection is not one that the site may be reached by. */
export function refuseByTlsPolicy(road: Road, exchange: Exchange, siteId: string, why: TlsRefusal): void {
  refuse(road, exchange, siteId, { text: TLS_REFUSAL_TEXTS[why], detail: why.replaceAll('-', '_') });
}

/** The site does not switch protocols, or nobody here knows how to that one's. */
export function refuseSwitch(
  road: Road,
  exchange: Exchange,
  siteId: string,
  why: 'switched-off' | 'unknown',
): void {
  const [text, detail] =
    why === 'switched-off'
      ? [SWITCHED_OFF_TEXT, 'websockets_off']
      : [UNKNOWN_PROTOCOL_TEXT, 'unknown_protocol'];
  refuse(road, exchange, siteId, { text, detail });
}

/** What may be asked here; the origin may know more methods, and take fewer. */
const ALLOWED_METHODS = 'GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE';

/** It would show what only the user and the site should know of each other (RFC 9110 §9.3.8). */
export function refuseTrace(road: Road, exchange: Exchange, siteId: string): void {
  refuse(road, exchange, siteId, { text: TRACE_TEXT, detail: 'trace', allow: ALLOWED_METHODS });
}

/** The last recipient of an OPTIONS that may be forwarded no more (RFC 9110 §7.6.2). */
export function answerOptions(road: Road, exchange: Exchange, siteId: string): void {
  const status = { isHit: false, detail: 'max_forwards' };
  const fields = Fields.of([
    ['Allow', ALLOWED_METHODS],
    ['Via', `1.1 ${VIA_PSEUDONYM}`],
    ['Cache-Status', formatCacheStatus(CACHE_NAME, status)],
  ]);
  exchange.respondWhole({ status: 200, reason: '', fields }, null);
  const firstByteAt = road.clock.now();
  road.recorder.record({ exchange, siteId, handling: 'method', status: 200, bodyBytes: 0, firstByteAt });
}

/** The request passed this installation before (RFC 8586). */
export function refuseLoop(road: Road, exchange: Exchange, siteId: string): void {
  const proxyStatus = formatProxyStatus(CACHE_NAME, { error: 'loop_detected' });
  refuse(road, exchange, siteId, { text: LOOP_TEXT, detail: 'loop_detected', proxyStatus });
}

/** `only-if-cached`, and nothing to answer with (RFC 9111 §5.2.1.7). */
export function refuseUnstored(road: Road, exchange: Exchange, siteId: string): void {
  refuse(road, exchange, siteId, { text: NOT_STORED_TEXT, detail: 'only_if_cached' });
}

export function refuseBusy(road: Road, exchange: Exchange, siteId: string): void {
  const proxyStatus = formatProxyStatus(CACHE_NAME, { error: 'connection_limit_reached' });
  refuse(road, exchange, siteId, { text: TOO_BUSY_TEXT, detail: 'too_busy', proxyStatus, asksToRetry: true });
}

/** No response came from the origin, and nothing stored may stand in. */
export function refuseFailed(
  road: Road,
  exchange: Exchange,
  siteId: string,
  error: unknown,
  forward: string,
): void {
  const { text, type, proxyStatus } = describeFailure(error);
  refuse(road, exchange, siteId, { text, detail: type, forward, proxyStatus });
}

function refuse(road: Road, exchange: Exchange, siteId: string | null, refusal: Refusal): void {
  const { text, detail, forward, proxyStatus, asksToRetry, allow } = refusal;
  const status = { isHit: false, detail, ...(forward === undefined ? {} : { forward }) };
  const extra: [string, string][] = [
    ['Via', `1.1 ${VIA_PSEUDONYM}`],
    ['Cache-Status', formatCacheStatus(CACHE_NAME, status)],
  ];
  if (proxyStatus !== undefined) extra.push(['Proxy-Status', proxyStatus]);
  if (allow !== undefined) extra.push(['Allow', allow]);
  const { alternative } = exchange.connection;
  // A 421 says nothing of the authority's ways in (RFC 7838 §6).
  if (alternative !== null && text.status !== 421) extra.push(['Alt-Svc', alternative.value]);
  if (asksToRetry) extra.push(['Retry-After', String(ROAD_LIMITS.retryAfterSeconds)]);
  const page = makePage(text, extra);
  exchange.respondWhole(page.head, page.body);
  road.recorder.count(`refusals_${detail}`);
  road.recorder.record({
    exchange,
    siteId,
    handling: 'error',
    status: page.head.status,
    bodyBytes: exchange.request.method === 'HEAD' ? 0 : page.body.byteLength,
    firstByteAt: road.clock.now(),
  });
}
