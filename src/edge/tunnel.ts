/**
 * A request that asks to switch protocols: past the cache to the origin, and when the origin agrees, a tunnel of
 * raw bytes between the two (RFC 9110 §7.8). Whatever else the origin says is an ordinary response. Over
 * HTTP/2 and 3 the client's extended CONNECT becomes the GET of HTTP/1.1 (RFC 8441 §5); what WebSocket's
 * handshake needs there beyond it is made here, and checked here.
 */
import { formatCacheStatus } from '#core/http/cache-status.ts';
import type { Fields } from '#core/http/fields.ts';
import { countLoops, responseFields } from '#core/http/forwarding.ts';
import { askOrigin } from './ask-origin.ts';
import type { Configuration, Place } from './configuration.ts';
import type { Exchange, RequestHead } from './exchange.ts';
import { CACHE_NAME, VIA_PSEUDONYM } from './names.ts';
import { OriginFailure, type OriginResponse, type OriginTunnel } from './origin/origin-client.ts';
import { respondOwn } from './pass.ts';
import { refuseBusy, refuseFailed, refuseLoop, refuseSwitch } from './refuse.ts';
import type { Road } from './road.ts';
import { Visit } from './visit.ts';
import { makeWebSocketKey, webSocketAccept } from './websocket-handshake.ts';

const WEBSOCKET = 'websocket';

/** Answers the exchange, now or later. Rejects only by a mistake of ours. */
export async function serveSwitch(
  road: Road,
  exchange: Exchange,
  configuration: Configuration,
  place: Place,
  protocol: string,
): Promise<void> {
  const { request } = exchange;
  const siteId = place.site.id;
  const isExtendedConnect = request.httpVersion !== '1.1';
  if (!place.site.webSockets) refuseSwitch(road, exchange, siteId, 'switched-off');
  // What other protocols would need in place of HTTP/1.1's handshake, nobody has said.
  else if (isExtendedConnect && protocol !== WEBSOCKET) refuseSwitch(road, exchange, siteId, 'unknown');
  else if (countLoops(request.fields, configuration.cdnLoopName) > 0) refuseLoop(road, exchange, siteId);
  else if (!road.tunnels.reserve()) refuseBusy(road, exchange, siteId);
  else {
    const visit = new Visit(exchange, configuration, place);
    try {
      await forwardSwitch(road, visit, isExtendedConnect ? asUpgrade(request) : request, protocol);
    } finally {
      road.tunnels.release();
    }
  }
}

async function forwardSwitch(
  road: Road,
  visit: Visit,
  request: RequestHead,
  protocol: string,
): Promise<void> {
  const { exchange, configuration, place } = visit;
  const given = new AbortController();
  visit.atGone(() => given.abort());
  let response: OriginResponse;
  try {
    response = await askOrigin(road, {
      request,
      connection: exchange.connection,
      body: null,
      configuration,
      place,
      condition: 'as-asked',
      informs: exchange,
      isKeyed: false,
      signal: given.signal,
      upgrade: protocol,
    });
    if (response.tunnel !== undefined)
      proveSwitch(protocol, request.fields, response.fields, response.tunnel);
  } catch (error) {
    if (!exchange.isGone) refuseFailed(road, exchange, place.site.id, error, 'bypass');
    return;
  }
  const { tunnel } = response;
  if (tunnel === undefined) await respondOwn(road, visit, { response, reason: null }, 'bypass');
  else await carry(road, visit, response.fields, tunnel);
}

/** The two ends are joined until both have ended. */
async function carry(road: Road, visit: Visit, fields: Fields, origin: OriginTunnel): Promise<void> {
  const { exchange, place } = visit;
  const siteId = place.site.id;
  const isExtendedConnect = exchange.request.httpVersion !== '1.1';
  const answer = responseFields({ fields, httpVersion: '1.1', via: VIA_PSEUDONYM });
  answer.set('Cache-Status', formatCacheStatus(CACHE_NAME, { isHit: false, forward: 'bypass' }));
  // The proof was for us (RFC 8441 §5).
  if (isExtendedConnect) answer.delete('sec-websocket-accept');
  const firstByteAt = road.clock.now();
  const joined = road.tunnels.join(exchange.acceptTunnel(answer), origin);
  visit.atGone((reason) => joined.cut(reason));
  origin.whenLost(() => joined.cut('the origin has gone'));
  const end = await joined.run();
  const { bytesToClient: bodyBytes, bytesFromClient } = joined;
  const status = isExtendedConnect ? 200 : 101;
  road.recorder.recordFromOrigin(siteId, bodyBytes);
  road.recorder.record({ exchange, siteId, handling: 'bypass', status, bodyBytes, firstByteAt });
  road.recorder.count(`tunnels_${end}`);
  road.recorder.count('tunnel_bytes_to_clients', bodyBytes);
  road.recorder.count('tunnel_bytes_from_clients', bytesFromClient);
}

/** An extended CONNECT as the request that asks an HTTP/1.1 server for the same (RFC 8441 §5). */
function asUpgrade(request: RequestHead): RequestHead {
  const fields = request.fields.copy();
  fields.set('Sec-WebSocket-Key', makeWebSocketKey());
  if (!fields.has('sec-websocket-version')) fields.append('Sec-WebSocket-Version', '13');
  return { ...request, method: 'GET', fields };
}

/** Throws `OriginFailure` when a 101 to WebSocket does not answer the key that was sent. */
function proveSwitch(protocol: string, sent: Fields, received: Fields, tunnel: OriginTunnel): void {
  if (protocol !== WEBSOCKET) return;
  const key = sent.get('sec-websocket-key');
  if (key !== null && received.get('sec-websocket-accept') === webSocketAccept(key)) return;
  const detail = 'the 101 does not answer the Sec-WebSocket-Key of the request';
  tunnel.sink.abort(detail);
  throw new OriginFailure('http_protocol_error', detail, true);
}
