/**
 * The road of a range that nothing whole is stored for (`core/caching/slices.ts`):
 *
 *   slices' head ─┬─ fresh ─────────────────────────────────────────┬─▶ the slices, one after the other:
 *                 ├─ stale ─▶ its first slice, asked conditionally ─┤    stored, or fetched as they are wanted
 *                 └─ none ──▶ the slice that the range begins in ───┘
 *
 * What cannot be had in slices goes the ordinary road, and is remembered for a while.
 */
import { decide } from '#core/caching/decide.ts';
import { isFresh, mayServeStaleOnError } from '#core/caching/freshness.ts';
import { sliceAt, slicesKeyOf } from '#core/caching/slices.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { parseRequestDirectives } from '#core/http/cache-control.ts';
import { formatCacheStatus } from '#core/http/cache-status.ts';
import type { Fields } from '#core/http/fields.ts';
import { countLoops } from '#core/http/forwarding.ts';
import { formatProxyStatus } from '#core/http/proxy-status.ts';
import { type ByteRange, firstPosition } from '#core/http/ranges.ts';
import { showsCertificate } from '#core/model/tls-policy.ts';
import type { FillOutcome } from './collapse.ts';
import type { Configuration, Place } from './configuration.ts';
import type { BodySource, Exchange } from './exchange.ts';
import { describeFailure } from './failures.ts';
import { CACHE_NAME } from './names.ts';
import { respondOwn } from './pass.ts';
import { refuseFailed, refuseUnstored } from './refuse.ts';
import {
  HIT,
  type Provenance,
  refuseRange,
  requestedRanges,
  respondPartial,
  SERVED_STALE,
} from './respond.ts';
import type { Road } from './road.ts';
import { lookUp, lookUpAtOnce, select, settingsOfStored } from './select-response.ts';
import { fetchSlice, type SliceErrand } from './slice-fetch.ts';
import { areStored, SlicedSource } from './sliced-source.ts';
import type { StoredResponse } from './storage/storage.ts';
import { Visit } from './visit.ts';

type GoOn = (road: Road, visit: Visit) => void;

const CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'] as const;

/** Whether the request is one that slices can answer, so that it is worth looking for them. */
function isSliceable(road: Road, exchange: Exchange, place: Place, now: number): boolean {
  const { request, connection, body } = exchange;
  const { method, fields } = request;
  const { hasSlices, mode } = place.settings;
  if (
    method !== 'GET' ||
    body !== null ||
    place.search !== null ||
    !hasSlices ||
    mode === 'bypass' ||
    !fields.has('range')
  )
    return false;
  if (fields.has('authorization') || showsCertificate(connection.tls)) return false;
  return !CONDITIONS.some((name) => fields.has(name)) && !road.collapse.unsliceable.has(place.cacheKey, now);
}

/**
 * False: the request goes the ordinary road, and nothing has been done; `goOn` takes it there later. A promise: nothing has
 * been done either, because a disk has to be waited for, which `mayWait` allows to be done here.
 */
export function serveSlices(
  road: Road,
  exchange: Exchange,
  configuration: Configuration,
  place: Place,
  now: number,
  goOn: GoOn,
  mayWait: boolean,
): boolean | Promise<void> {
  if (!isSliceable(road, exchange, place, now)) return false;
  const { method, fields } = exchange.request;
  const slicesPlace: Place = { ...place, cacheKey: slicesKeyOf(place.cacheKey) };
  const variants = (mayWait ? lookUp : lookUpAtOnce)(road, slicesPlace);
  if (variants instanceof Promise) return variants;
  const known = select(fields, variants);
  const decision = decide({
    method,
    fields,
    hasBody: false,
    hasClientCertificate: false,
    selected: known?.head ?? null,
    hasVariants: known !== null,
    target: place.normalTarget,
    settings: known === null ? place.settings : settingsOfStored(place, known),
    now,
  });
  if (known === null) {
    const first = firstPosition(fields.get('range') ?? '');
    if (first === null || decision.action !== 'forward' || !decision.mayStore) return false;
    if (countLoops(fields, configuration.cdnLoopName) > 0) return false;
    begin(road, { exchange, configuration, place, slicesPlace, goOn }, first, null);
    return true;
  }
  const length = known.head.completeLength ?? 0;
  const ranges = requestedRanges(method, fields, known.head, length, now);
  if (ranges === null || (ranges !== 'unsatisfiable' && ranges.length > 1)) return false;
  return serveKnown(
    road,
    { exchange, configuration, place, slicesPlace, goOn },
    known,
    ranges,
    decision,
    now,
    mayWait,
  );
}

interface Sliced {
  readonly exchange: Exchange;
  readonly configuration: Configuration;
  readonly place: Place;
  /** The place of the slices' head. */
  readonly slicesPlace: Place;
  readonly goOn: GoOn;
}

function serveKnown(
  road: Road,
  sliced: Sliced,
  known: StoredResponse,
  ranges: readonly ByteRange[] | 'unsatisfiable',
  decision: ReturnType<typeof decide>,
  now: number,
  mayWait: boolean,
): boolean | Promise<void> {
  const { exchange, configuration, place } = sliced;
  const { fields } = exchange.request;
  const range = ranges === 'unsatisfiable' ? null : (ranges[0] as ByteRange);
  switch (decision.action) {
    case 'reuse':
    case 'reuse-and-revalidate': {
      const isStale = decision.action !== 'reuse' || decision.isStale;
      const provenance = isStale ? SERVED_STALE : HIT;
      if (range === null) {
        refuseRange(road, exchange, known.head, known.head.completeLength ?? 0, now, provenance);
        return true;
      }
      const isWhole = areStored(road, place, known.head, fields, range, mayWait);
      if (isWhole instanceof Promise) return isWhole;
      if (!isWhole && wantsStoredOnly(fields, place)) {
        refuseUnstored(road, exchange, place.site.id);
        return true;
      }
      if (!isWhole && countLoops(fields, configuration.cdnLoopName) > 0) return false;
      const visit = new Visit(exchange, configuration, place);
      void respond(road, sliced, visit, known.head, range, null, isWhole ? provenance : PARTIAL);
      if (decision.action === 'reuse-and-revalidate') revalidate(road, sliced, known, range);
      return true;
    }
    case 'validate':
      if (range === null || countLoops(fields, configuration.cdnLoopName) > 0) return false;
      begin(road, sliced, range.start, known);
      return true;
    case 'refuse':
      refuseUnstored(road, exchange, place.site.id);
      return true;
    case 'forward':
      return false;
  }
}

/** RFC 9111 §5.2.1.7; the judgement of the head does not know which slices there are. */
function wantsStoredOnly(fields: Fields, place: Place): boolean {
  const value = place.settings.honoursRequestDirectives ? fields.get('cache-control') : null;
  return value !== null && parseRequestDirectives(value).onlyIfCached;
}

/** What is stored is fresh, but some of the range is not among it. */
const PARTIAL: Provenance = {
  handling: 'partial',
  cacheStatus: formatCacheStatus(CACHE_NAME, { isHit: false, forward: 'partial', isStored: true }),
};

function errandOf(
  { exchange, configuration, place, slicesPlace }: Sliced,
  known: StoredResponse | null,
  variant: StoredHead | null = known?.head ?? null,
): SliceErrand {
  const { request, connection } = exchange;
  return { request, connection, configuration, place, slicesPlace, known, variant };
}

/** Fetches the slice with the byte `first`, and then answers; `known`: what is validated by that. */
function begin(road: Road, sliced: Sliced, first: number, known: StoredResponse | null): void {
  const { exchange, configuration, place } = sliced;
  const visit = new Visit(exchange, configuration, place);
  const slice = sliceAt(first);
  const forward = known === null ? 'uri-miss' : 'stale';
  fetchSlice(road, errandOf(sliced, known), slice, (outcome, isOwn) => {
    if (!exchange.isGone) settle(road, sliced, visit, slice, known, outcome, isOwn);
  })
    .then((own) => (own === null ? undefined : respondOwn(road, visit, own, forward)))
    .catch((error: unknown) => fault(road, exchange, error));
}

function settle(
  road: Road,
  sliced: Sliced,
  visit: Visit,
  slice: number,
  known: StoredResponse | null,
  outcome: FillOutcome,
  isOwn: boolean,
): void {
  const { exchange, place, goOn } = sliced;
  const forward = known === null ? 'uri-miss' : 'stale';
  const facts = isOwn ? {} : { isCollapsed: true };
  const told = (more: object): Provenance => ({
    handling: forward,
    cacheStatus: formatCacheStatus(CACHE_NAME, { isHit: false, forward, ...facts, ...more }),
  });
  switch (outcome.kind) {
    case 'shared': {
      const { head, body, isStored, hasOriginAge } = outcome;
      const range = rangeOf(exchange, head, road.clock.now());
      const source = range === null || sliceAt(range.start) !== slice ? null : body.open();
      if (range === null || source === null) goOn(road, visit);
      else {
        const provenance = { ...told({ isStored }), showsAge: !isOwn || hasOriginAge };
        void respond(road, sliced, visit, head, range, source, provenance);
      }
      return;
    }
    case 'stored': {
      const range = rangeOf(exchange, outcome.response.head, road.clock.now());
      const provenance = told({ forwardStatus: outcome.forwardStatus });
      if (range === null) goOn(road, visit);
      else void respond(road, sliced, visit, outcome.response.head, range, null, provenance);
      return;
    }
    case 'failed': {
      const { type, proxyStatus } = describeFailure(outcome.error);
      const covered = { ...told({ detail: type }), handling: 'served-stale' as const, proxyStatus };
      const isCovered = known !== null && mayCover(road, place, known);
      if (!isCovered || !respondStale(road, sliced, visit, known, covered)) {
        refuseFailed(road, exchange, place.site.id, outcome.error, forward);
      }
      return;
    }
    case 'server-failure': {
      const { status: receivedStatus } = outcome;
      const proxyStatus = formatProxyStatus(CACHE_NAME, { receivedStatus });
      const stale = told({ forwardStatus: receivedStatus });
      const covered = { ...stale, handling: 'served-stale' as const, proxyStatus };
      if (known === null || !respondStale(road, sliced, visit, known, covered)) goOn(road, visit);
      return;
    }
    default:
      goOn(road, visit);
  }
}

function mayCover(road: Road, place: Place, known: StoredResponse): boolean {
  return mayServeStaleOnError(known.head, road.clock.now(), settingsOfStored(place, known), 'disconnect');
}

/** Covers for the origin, where all of the range is stored; false: it is not, and nothing has been done. */
function respondStale(
  road: Road,
  sliced: Sliced,
  visit: Visit,
  { head }: StoredResponse,
  provenance: Provenance,
): boolean {
  const { exchange, place } = sliced;
  const range = rangeOf(exchange, head, road.clock.now());
  if (range === null) return false;
  if (areStored(road, place, head, exchange.request.fields, range, true) !== true) return false;
  void respond(road, sliced, visit, head, range, null, provenance);
  return true;
}

/** The one range that is asked for of the representation; null: another thing. */
function rangeOf(exchange: Exchange, head: StoredHead, now: number): ByteRange | null {
  const { method, fields } = exchange.request;
  const ranges = requestedRanges(method, fields, head, head.completeLength ?? 0, now);
  return ranges === null || ranges === 'unsatisfiable' || ranges.length > 1 ? null : (ranges[0] as ByteRange);
}

/** Answers with the range; `first` gives the slice that it begins in. */
async function respond(
  road: Road,
  sliced: Sliced,
  visit: Visit,
  head: StoredHead,
  range: ByteRange,
  first: BodySource | null,
  provenance: Provenance & { readonly showsAge?: boolean },
): Promise<void> {
  const { exchange } = sliced;
  try {
    const source = new SlicedSource(road, errandOf(sliced, null, head), head, range, first);
    visit.atGone((reason) => source.cancel(reason));
    const length = head.completeLength ?? range.end;
    await respondPartial(road, exchange, head, source, range, length, road.clock.now(), provenance);
  } catch (error) {
    fault(road, exchange, error);
  }
}

/** Behind an answer given already (RFC 5861 §3). */
function revalidate(road: Road, sliced: Sliced, known: StoredResponse, range: ByteRange): void {
  if (isFresh(known.head, road.clock.now())) return;
  fetchSlice(road, errandOf(sliced, known), sliceAt(range.start), () => {})
    .then((own) => own?.response.body.cancel('nobody waits for it'))
    .catch((error: unknown) => fault(road, sliced.exchange, error));
}

function fault(road: Road, exchange: Exchange, error: unknown): void {
  road.recorder.count('faults');
  road.log.error({ exchange: exchange.id, err: error }, 'fault while serving slices');
  exchange.abort('internal fault');
}
