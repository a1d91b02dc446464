/**
 * THE ROAD. Every request travels it, and all branching on outcomes is here:
 *
 *   route, key ─▶ lookup, select ─▶ decide ─┬─ reuse ─────────────────────────────▶ respond ─▶ record
 *                       ▲                   ├─ reuse-and-revalidate ─▶ respond, and validate behind it
 *                       │                   ├─ validate ─┬─▶ collapse ─▶ fill: ask, admit or freshen, store
 *                       │                   ├─ forward ──┘                └─▶ shared, stored, alone, failed
 *                       └─ again ───────────┤                                        (`settle`)
 *                                           └─ refuse
 *
 * A request to switch protocols leaves it after `route` (`tunnel.ts`), a range that nothing whole is stored for after
 * `select` (`slices.ts`). The steps are other files' work. A hit runs from here to the socket within one turn, without a promise,
 * unless a disk has to be waited for.
 */
import { assert } from '#core/base/assert.ts';
import { decide } from '#core/caching/decide.ts';
import type { Decision } from '#core/caching/decision.ts';
import { mayServeStaleOnError } from '#core/caching/freshness.ts';
import { matchesVary } from '#core/caching/select.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { type CacheStatus, formatCacheStatus } from '#core/http/cache-status.ts';
import { countLoops, hopsLeft } from '#core/http/forwarding.ts';
import { formatProxyStatus } from '#core/http/proxy-status.ts';
import { judgeTls, showsCertificate } from '#core/model/tls-policy.ts';
import { errandOf } from './ask-origin.ts';
import type { Fill, FillOutcome } from './collapse.ts';
import type { Configuration, Place } from './configuration.ts';
import type { Exchange } from './exchange.ts';
import { describeFailure } from './failures.ts';
import { type OwnResponse, performFill } from './fill.ts';
import { join } from './join.ts';
import { keyPlace } from './key-place.ts';
import { ROAD_LIMITS } from './limits.ts';
import { CACHE_NAME } from './names.ts';
import { applyHeadResponse, askForOne, respondOwn } from './pass.ts';
import {
  answerOptions,
  refuseBusy,
  refuseByTlsPolicy,
  refuseFailed,
  refuseLoop,
  refuseTrace,
  refuseUnconfigured,
  refuseUnplaced,
  refuseUnstored,
} from './refuse.ts';
import { HIT, respondArriving, respondFetched, respondStored, SERVED_STALE } from './respond.ts';
import { revalidateBehind } from './revalidate.ts';
import type { Road } from './road.ts';
import { searchPlace } from './search-rules.ts';
import { answersSearch, lookUp, lookUpAtOnce, select, settingsOfStored } from './select-response.ts';
import { serveSlices } from './slices.ts';
import type { StoredResponse } from './storage/storage.ts';
import { serveSwitch } from './tunnel.ts';
import { Visit } from './visit.ts';

/** The entrance: answers the exchange, now or later, whatever happens. */
export function serve(road: Road, exchange: Exchange): void {
  guard(road, exchange, () => enter(road, exchange));
}

function enter(road: Road, exchange: Exchange): void {
  const { configuration } = road;
  if (configuration === null) {
    refuseUnconfigured(road, exchange);
    return;
  }
  const place = configuration.locate(exchange);
  if (typeof place === 'string') {
    refuseUnplaced(road, exchange, place);
    return;
  }
  const { upgrade, method, fields } = exchange.request;
  const refusal = judgeTls(place.tlsPolicy, exchange.connection.tls, exchange.receivedAt);
  if (refusal !== null) refuseByTlsPolicy(road, exchange, place.site.id, refusal);
  else if (upgrade !== null)
    watch(road, exchange, serveSwitch(road, exchange, configuration, place, upgrade));
  else if (method === 'TRACE') refuseTrace(road, exchange, place.site.id);
  else if (method === 'OPTIONS' && hopsLeft(method, fields) === 0) {
    answerOptions(road, exchange, place.site.id);
  } else {
    const keyed = searchPlace(road.searchRules, keyPlace(road, exchange, place));
    travel(road, exchange, configuration, keyed, exchange.receivedAt, null, false);
  }
}

function travel(
  road: Road,
  exchange: Exchange,
  configuration: Configuration,
  place: Place,
  now: number,
  visit: Visit | null,
  hasWaited: boolean,
): void {
  const { method, fields } = exchange.request;
  const variants = (hasWaited ? lookUp : lookUpAtOnce)(road, place);
  if (variants instanceof Promise) {
    travelAfter(variants, road, exchange, configuration, place, visit);
    return;
  }
  const stored = select(fields, variants);
  if (stored === null && visit === null) {
    const isServed = serveSlices(road, exchange, configuration, place, now, goOn, hasWaited);
    if (isServed instanceof Promise) travelAfter(isServed, road, exchange, configuration, place, null);
    if (isServed !== false) return;
  }
  const decision = decide({
    method,
    fields,
    hasBody: exchange.body !== null,
    hasClientCertificate: showsCertificate(exchange.connection.tls),
    selected: stored === null ? null : stored.head,
    hasVariants: variants.length > 0,
    target: place.normalTarget,
    settings: stored === null ? place.settings : settingsOfStored(place, stored),
    now,
  });
  if (road.trace !== null && visit === null) road.trace.looked(place.cacheKey, stored, decision, now);
  switch (decision.action) {
    case 'reuse':
      assert(stored !== null, 'what is reused was selected');
      road.popular.used(place, stored, now);
      respondStored(road, exchange, stored, now, decision.isStale ? SERVED_STALE : HIT);
      return;
    case 'reuse-and-revalidate':
      assert(stored !== null, 'what is reused was selected');
      road.popular.used(place, stored, now);
      respondStored(road, exchange, stored, now, SERVED_STALE);
      revalidateBehind(road, exchange, configuration, place, stored);
      return;
    case 'refuse':
      refuseUnstored(road, exchange, place.site.id);
      return;
    case 'validate':
    case 'forward':
      if (countLoops(fields, configuration.cdnLoopName) > 0) {
        refuseLoop(road, exchange, place.site.id);
        return;
      }
      goForward(road, visit ?? new Visit(exchange, configuration, place), decision, stored, variants);
  }
}

/** Once what the disk has been asked for is at hand. */
function travelAfter(
  read: Promise<void>,
  road: Road,
  exchange: Exchange,
  configuration: Configuration,
  place: Place,
  visit: Visit | null,
): void {
  const goOnThen = (): void => {
    if (!exchange.isGone) travel(road, exchange, configuration, place, road.clock.now(), visit, true);
  };
  watch(road, exchange, read.then(goOnThen));
}

type Forwarding = Extract<Decision, { action: 'validate' | 'forward' }>;

/** To the origin: alone, or with all who want the same. */
function goForward(
  road: Road,
  visit: Visit,
  decision: Forwarding,
  selected: StoredResponse | null,
  variants: readonly StoredResponse[],
): void {
  const { exchange } = visit;
  const isValidation = decision.action === 'validate';
  const stored = isValidation ? selected : null;
  if (isValidation && exchange.request.method === 'HEAD') {
    watch(road, exchange, pass(road, visit, decision, stored));
  } else if (!isValidation && !decision.mayStore) {
    watch(road, exchange, pass(road, visit, decision, null));
  } else if (mayCollapse(road, visit, decision)) {
    const varyNames = visit.varyNames ?? variants[0]?.head.varyNames ?? [];
    collapse(road, visit, decision, stored, varyNames);
  } else {
    leadAlone(road, visit, decision, stored);
  }
}

/** Whether the origin is asked for what the key names and no more: its answer may be stored under it. */
function isKeyed({ forward }: Forwarding): boolean {
  return forward !== 'method' && forward !== 'bypass';
}

function mayCollapse(road: Road, visit: Visit, decision: Forwarding): boolean {
  // Who asks for validation in so many words wants one begun after asking.
  const isWanted = decision.action === 'validate' ? decision.forward !== 'request' : decision.mayCollapse;
  if (!isWanted || visit.attempts > ROAD_LIMITS.collapseAttemptsMax) return false;
  return !road.collapse.isUncollapsible(visit.place.cacheKey, road.clock.now());
}

/** Waits for the fetch under way, or leads one. */
function collapse(
  road: Road,
  visit: Visit,
  decision: Forwarding,
  stored: StoredResponse | null,
  varyNames: readonly string[],
): void {
  const { exchange, place } = visit;
  const joined = join(road, visit, stored, varyNames, (outcome) => {
    guard(road, exchange, () => settle(road, visit, decision, stored, outcome, false));
  });
  switch (joined.kind) {
    case 'waiting':
      break;
    case 'arriving':
      settle(road, visit, decision, stored, joined.outcome, false);
      break;
    case 'lead':
      lead(road, visit, decision, stored, joined.fill);
      break;
    case 'busy':
      refuseBusy(road, exchange, place.site.id);
      break;
    case 'alone':
      leadAlone(road, visit, decision, stored);
      break;
  }
}

/** Fetches for everybody who waits, this request among them. */
function lead(
  road: Road,
  visit: Visit,
  decision: Forwarding,
  stored: StoredResponse | null,
  fill: Fill,
): void {
  const { exchange, place } = visit;
  const onOutcome = (outcome: FillOutcome): void => {
    // These leave the response to whoever asked for it: it comes back from `performFill`.
    if (outcome.kind === 'alone' || outcome.kind === 'server-failure') return;
    guard(road, exchange, () => settle(road, visit, decision, stored, outcome, true));
  };
  fill.wait(onOutcome);
  const given = mayGiveUp(road, fill, place.settings.finishesFills);
  visit.atGone(() => fill.leave(onOutcome));
  const errand = errandOf(visit, stored === null ? 'as-asked' : stored.head, given, isKeyed(decision));
  watch(
    road,
    exchange,
    performFill(road, errand, stored, fill).then((own) =>
      own === null ? undefined : finishOwn(road, visit, decision, stored, own),
    ),
  );
}

/**
 * A shared fetch goes on when its clients leave, because others will want it, unless the site says otherwise; nobody else
 * wants one that is not shared.
 */
function mayGiveUp(road: Road, fill: Fill, finishesFills: boolean): AbortSignal | null {
  if (fill.isShared && finishesFills) return null;
  const given = new AbortController();
  fill.onDeserted = () => {
    road.collapse.detach(fill);
    given.abort();
  };
  return given.signal;
}

/** The same for this request only; what comes may still be stored. */
function leadAlone(road: Road, visit: Visit, decision: Forwarding, stored: StoredResponse | null): void {
  const { place } = visit;
  const fill = road.collapse.beginAlone(place.cacheKey, place.site.id);
  if (fill === null) refuseBusy(road, visit.exchange, place.site.id);
  else lead(road, visit, decision, stored, fill);
}

/** What Cache-Status says beside the reason to go forward. */
type CacheFacts = Pick<CacheStatus, 'isStored' | 'forwardStatus' | 'detail'>;

/** What the end of a fetch means for one request that waited for it. */
function settle(
  road: Road,
  visit: Visit,
  decision: Forwarding,
  stored: StoredResponse | null,
  outcome: FillOutcome,
  isOwn: boolean,
): void {
  const { exchange, place } = visit;
  const { forward } = decision;
  const isForIt = (head: StoredHead): boolean =>
    matchesVary(exchange.request.fields, head) && answersSearch(place, head);
  const isCollapsed = !isOwn;
  const statusOf = (facts: CacheFacts): string =>
    formatCacheStatus(CACHE_NAME, { isHit: false, forward, isCollapsed, ...facts });
  switch (outcome.kind) {
    case 'shared': {
      const { head, askersHead, body, isStored, detail, hasOriginAge } = outcome;
      const source = isOwn || isForIt(head) ? body.open() : null;
      if (source === null) {
        again(road, visit, head.varyNames);
        break;
      }
      visit.atGone((reason) => source.cancel(reason));
      const cacheStatus = statusOf(detail === null ? { isStored } : { isStored, detail });
      const provenance = { handling: forward, cacheStatus, showsAge: isCollapsed || hasOriginAge };
      watch(road, exchange, respondArriving(road, exchange, isOwn ? askersHead : head, source, provenance));
      break;
    }
    case 'fetched': {
      const { response, askersHead, hasOriginAge } = outcome;
      if (!isOwn && !isForIt(response.head)) {
        again(road, visit, response.head.varyNames);
        break;
      }
      const cacheStatus = statusOf({ isStored: true });
      const provenance = { handling: forward, cacheStatus, showsAge: isCollapsed || hasOriginAge };
      watch(road, exchange, respondFetched(road, exchange, response, isOwn ? askersHead : null, provenance));
      break;
    }
    case 'stored': {
      const { response, forwardStatus } = outcome;
      const cacheStatus = statusOf({ forwardStatus });
      respondStored(road, exchange, response, road.clock.now(), { handling: forward, cacheStatus });
      break;
    }
    case 'alone':
      leadAlone(road, visit, decision, stored);
      break;
    case 'server-failure':
      if (stored !== null && mayCover(road, place, stored, 'status')) {
        coverWithStale(road, visit, decision, stored, failedWith(outcome.status));
      } else {
        leadAlone(road, visit, decision, stored);
      }
      break;
    case 'failed':
      if (stored !== null && mayCover(road, place, stored, 'disconnect')) {
        const { type, proxyStatus } = describeFailure(outcome.error);
        coverWithStale(road, visit, decision, stored, { facts: { detail: type }, proxyStatus });
      } else {
        refuseFailed(road, exchange, place.site.id, outcome.error, forward);
      }
      break;
  }
}

/** The response came for this request alone. */
async function finishOwn(
  road: Road,
  visit: Visit,
  decision: Forwarding,
  stored: StoredResponse | null,
  own: OwnResponse,
): Promise<void> {
  const { status, body } = own.response;
  if (own.reason === 'server-failure' && stored !== null && mayCover(road, visit.place, stored, 'status')) {
    body.cancel('a stale response is served instead');
    coverWithStale(road, visit, decision, stored, failedWith(status));
  } else {
    await respondOwn(road, visit, own, decision.forward);
  }
}

/** For one client, nothing stored: `stored` is what a HEAD validates. */
async function pass(
  road: Road,
  visit: Visit,
  decision: Forwarding,
  stored: StoredResponse | null,
): Promise<void> {
  const { exchange } = visit;
  try {
    const condition = stored === null ? 'as-asked' : stored.head;
    const response = await askForOne(road, visit, condition, isKeyed(decision));
    const validated = stored === null ? null : applyHeadResponse(road, visit, stored, response);
    if (validated === null) await respondOwn(road, visit, { response, reason: null }, decision.forward);
    else
      settle(
        road,
        visit,
        decision,
        stored,
        { kind: 'stored', response: validated, forwardStatus: 304 },
        true,
      );
  } catch (error) {
    if (exchange.isGone) return;
    settle(road, visit, decision, stored, { kind: 'failed', error }, true);
  }
}

/** The ordinary road of a range that cannot be answered from slices. */
function goOn(road: Road, visit: Visit): void {
  const { exchange, configuration, place } = visit;
  guard(road, exchange, () => travel(road, exchange, configuration, place, road.clock.now(), visit, false));
}

/** Looks again after a fetch that was not for this request, knowing what the response varies on. */
function again(road: Road, visit: Visit, varyNames: readonly string[]): void {
  const { exchange, configuration } = visit;
  visit.attempts++;
  visit.varyNames = varyNames;
  const place = searchPlace(road.searchRules, visit.place);
  visit.place = place;
  travel(road, exchange, configuration, place, road.clock.now(), visit, false);
}

function mayCover(
  road: Road,
  place: Place,
  stored: StoredResponse,
  failure: 'disconnect' | 'status',
): boolean {
  return mayServeStaleOnError(stored.head, road.clock.now(), settingsOfStored(place, stored), failure);
}

/** The failure behind a stale answer. */
interface Covered {
  readonly facts: CacheFacts;
  readonly proxyStatus: string;
}

/** The origin answered, with an error. */
function failedWith(status: number): Covered {
  const proxyStatus = formatProxyStatus(CACHE_NAME, { receivedStatus: status });
  return { facts: { forwardStatus: status }, proxyStatus };
}

/** Serves what is stored in place of an origin that failed (RFC 5861 §4). */
function coverWithStale(
  road: Road,
  visit: Visit,
  decision: Forwarding,
  stored: StoredResponse,
  { facts, proxyStatus }: Covered,
): void {
  const cacheStatus = formatCacheStatus(CACHE_NAME, { isHit: false, forward: decision.forward, ...facts });
  const provenance = { handling: 'served-stale', cacheStatus, proxyStatus } as const;
  respondStored(road, visit.exchange, stored, road.clock.now(), provenance);
}

/** Runs a step that nobody above catches for. */
function guard(road: Road, exchange: Exchange, step: () => void): void {
  try {
    step();
  } catch (error) {
    fail(road, exchange, error);
  }
}

function watch(road: Road, exchange: Exchange, work: Promise<void>): void {
  work.catch((error: unknown) => fail(road, exchange, error));
}

/** A mistake of ours: it ends this exchange and no other. */
function fail(road: Road, exchange: Exchange, error: unknown): void {
  road.recorder.count('faults');
  road.log.error({ exchange: exchange.id, err: error }, 'fault while serving a request');
  exchange.abort('internal fault');
}
