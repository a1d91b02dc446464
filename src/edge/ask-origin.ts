/** Asks a site's origins for a response: in their order, the next when a connection cannot be made. */
import { errorMessage } from '#core/base/error-message.ts';
import { makeConditional, removeConditions } from '#core/caching/conditional-request.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { SURROGATE_CAPABILITY } from '#core/caching/surrogate-control.ts';
import type { Fields } from '#core/http/fields.ts';
import { forwardedRequestFields } from '#core/http/forwarding.ts';
import type { Origin } from '#core/model/site.ts';
import { trustedCertificate } from '#core/model/tls-policy.ts';
import type { Configuration, Place } from './configuration.ts';
import type { BodySource, ConnectionInfo, Exchange, RequestHead } from './exchange.ts';
import { describeFailure, mayTryNextOrigin } from './failures.ts';
import { VIA_PSEUDONYM } from './names.ts';
import type { OriginResponse } from './origin/origin-client.ts';
import type { Road } from './road.ts';
import type { Visit } from './visit.ts';

export interface Errand {
  readonly request: RequestHead;
  readonly connection: ConnectionInfo;
  readonly body: BodySource | null;
  readonly configuration: Configuration;
  readonly place: Place;
  /** A stored response to validate, the user's own conditions, or none at all. */
  readonly condition: StoredHead | 'as-asked' | 'none';
  /** Value of Range where a part is asked for that is not the user's own. */
  readonly range?: string;
  /** Where interim responses go; null: nowhere. */
  readonly informs: Exchange | null;
  /** Gives the request up; null: nobody will. */
  readonly signal: AbortSignal | null;
  /** Whether the origin is to see no more than is in the cache key, because its answer may be stored under it. */
  readonly isKeyed: boolean;
  /** Protocol to ask the origin to switch to; there is no body then. */
  readonly upgrade?: string;
}

/** What a visit asks for. Made in one piece: it is made for each miss. */
export function errandOf(
  { exchange, configuration, place }: Visit,
  condition: Errand['condition'],
  signal: AbortSignal | null,
  isKeyed: boolean,
): Errand {
  const { request, connection, body } = exchange;
  const informs = exchange;
  return { request, connection, body, configuration, place, condition, informs, signal, isKeyed };
}

const NONE: readonly string[] = [];

/** Resolves with the first origin's response; rejects with the last failure. */
export async function askOrigin(road: Road, errand: Errand): Promise<OriginResponse> {
  const { request, body, place, informs, signal, upgrade } = errand;
  const { origins } = place.site;
  for (let i = 0; ; i++) {
    const origin = origins[i] as Origin;
    const originRequest = {
      origin,
      method: request.method,
      target: errand.isKeyed ? place.keyTarget : place.normalTarget,
      fields: fieldsFor(errand, origin, road.clock.now()),
      body,
      ...(informs === null
        ? {}
        : { onInform: (status: number, fields: Fields) => inform(informs, status, fields) }),
      ...(upgrade === undefined ? {} : { upgrade }),
    };
    try {
      return await road.originClient.fetch(originRequest, signal ?? undefined);
    } catch (error) {
      if (signal?.aborted) throw error;
      const { type } = describeFailure(error);
      road.recorder.count(`origin_failures_${type}`);
      const isLast = i + 1 >= origins.length;
      const cause = errorMessage(error);
      road.failureLog.report({ site: place.site.id, origin: origin.url, type, cause, isLast });
      if (isLast || !mayTryNextOrigin(error)) throw error;
    }
  }
}

/** 100 is the client's and ours to settle between us (RFC 9110 §10.1.1); the others are for the user. */
function inform(exchange: Exchange, status: number, fields: Fields): void {
  if (status > 101 && status < 200 && !exchange.isGone) exchange.inform(status, fields);
}

function fieldsFor(errand: Errand, origin: Origin, now: number): Fields {
  const { request, connection, place } = errand;
  const fields = forwardedRequestFields({
    method: request.method,
    fields: request.fields,
    clientAddress: connection.clientAddress,
    scheme: connection.scheme,
    authority: place.authority,
    httpVersion: request.httpVersion,
    clientCertificate: trustedCertificate(connection.tls, now),
    hostToSend: origin.hostHeader ?? place.authority,
    via: VIA_PSEUDONYM,
    cdnLoopName: errand.configuration.cdnLoopName,
    surrogateCapability: SURROGATE_CAPABILITY,
    listed: errand.isKeyed ? place.settings.requestFields : null,
    keyHeaders: place.settings.keyExtras?.headers ?? NONE,
    keyFields: place.keyFields,
  });
  const { condition } = errand;
  if (condition === 'none') removeConditions(fields);
  else if (condition !== 'as-asked') makeConditional(fields, condition);
  if (errand.range !== undefined) fields.set('Range', errand.range);
  return fields;
}
