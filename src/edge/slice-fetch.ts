/** Fetches one slice for everybody who waits for it, and stores it, and the head that it shares with the others. */
import type { Admission } from '#core/caching/decision.ts';
import { mayFreshen } from '#core/caching/freshen.ts';
import { isFresh, isServerFailure, mayServeStaleOnError } from '#core/caching/freshness.ts';
import { SLICE_BYTES } from '#core/caching/limits.ts';
import { matchesVary } from '#core/caching/select.ts';
import {
  formatSliceRequest,
  readSlice,
  type SlicePart,
  sliceKeyOf,
  sliceRange,
} from '#core/caching/slices.ts';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { askOrigin, type Errand } from './ask-origin.ts';
import { collapseKeyOf, type Fill, type FillOutcome } from './collapse.ts';
import type { Configuration, Place } from './configuration.ts';
import type { ConnectionInfo, RequestHead } from './exchange.ts';
import { admitResponse, type Beginning, beginning, freshenStored, type OwnResponse } from './fill.ts';
import type { OriginResponse } from './origin/origin-client.ts';
import type { Road } from './road.ts';
import { settingsOfStored } from './select-response.ts';
import { SharedBody } from './shared-body.ts';
import type { StorageWriter, StoredResponse } from './storage/storage.ts';

export interface SliceErrand {
  readonly request: RequestHead;
  readonly connection: ConnectionInfo;
  readonly configuration: Configuration;
  readonly place: Place;
  /** The place of the slices' head. */
  readonly slicesPlace: Place;
  /** The slices' head as it is stored, to be validated with this; null: it need not be, or there is none. */
  readonly known: StoredResponse | null;
  /** What the slice is to be a part of, where that is known. */
  readonly variant: StoredHead | null;
}

export type SliceWaiter = (outcome: FillOutcome, isOwn: boolean) => void;

const ALONE: FillOutcome = { kind: 'alone' };

/**
 * `onOutcome` is told once: `shared` with the slice's body, from its first byte on; `stored`: the head was validated;
 * `alone`: it cannot be had in slices. Unless the promise, which is of the request that leads, brings a response that
 * is for that request alone: then it is not told.
 */
export function fetchSlice(
  road: Road,
  errand: SliceErrand,
  slice: number,
  onOutcome: SliceWaiter,
): Promise<OwnResponse | null> {
  const { place, slicesPlace, variant, request } = errand;
  const key = slicesPlace.cacheKey;
  const collapseKey = collapseKeyOf(`${key} ${slice}`, variant?.varyNames ?? [], variant?.varyValues ?? []);
  const nobody = Promise.resolve(null);
  const follow = (outcome: FillOutcome): void => {
    const isOther = outcome.kind === 'shared' && !matchesVary(request.fields, outcome.head);
    onOutcome(isOther ? ALONE : outcome, false);
  };
  const underWay = road.collapse.find(key, collapseKey);
  if (underWay !== null && underWay.outcome === null) {
    if (!underWay.wait(follow)) follow(ALONE);
    return nobody;
  }
  if (underWay !== null) {
    const outcome = underWay.outcome as FillOutcome;
    if (outcome.kind === 'shared' && outcome.body.isOpenable && isFresh(outcome.head, road.clock.now())) {
      follow(outcome);
      return nobody;
    }
    road.collapse.detach(underWay);
  }
  const fill = road.collapse.begin(key, collapseKey, place.site.id);
  if (fill === null) {
    follow(ALONE);
    return nobody;
  }
  const lead = (outcome: FillOutcome): void => onOutcome(outcome, true);
  fill.wait(lead);
  return perform(road, errand, slice, fill, lead);
}

async function perform(
  road: Road,
  errand: SliceErrand,
  slice: number,
  fill: Fill,
  lead: (outcome: FillOutcome) => void,
): Promise<OwnResponse | null> {
  const { known, slicesPlace, place } = errand;
  const began = beginning(road);
  const request: Errand = {
    ...errand,
    body: null,
    condition: known?.head ?? 'none',
    range: formatSliceRequest(slice),
    informs: null,
    signal: null,
    isKeyed: true,
  };
  const end = (outcome: FillOutcome): null => {
    road.collapse.end(fill);
    fill.settle(outcome);
    return null;
  };
  let response: OriginResponse;
  try {
    response = await askOrigin(road, request);
  } catch (error) {
    return end({ kind: 'failed', error });
  }
  const { status, body } = response;
  if (status === 304 && known !== null && mayFreshen(known.head, response.fields)) {
    body.cancel('a 304 has none');
    const freshened = freshenStored(road, slicesPlace, known, response);
    return end({ kind: 'stored', response: freshened, forwardStatus: 304 });
  }
  if (known !== null && isServerFailure(status) && mayCover(road, place, known)) {
    body.cancel('a stale response is served instead');
    return end({ kind: 'server-failure', status });
  }
  const part = status === 206 ? readSlice(slice, response.fields) : null;
  const admission = part === null ? null : admitPart(request, response, part, began);
  if (part !== null && admission?.action === 'store') {
    await store(road, errand, slice, fill, { ...admission.head, completeLength: part.length }, response);
    return null;
  }
  if (status === 200 || status === 206 || status === 304) {
    // Not in slices, or not to be stored: the ordinary road asks as the user did.
    road.collapse.unsliceable.add(place.cacheKey, road.clock.now());
    body.cancel('it is no slice');
    return end(ALONE);
  }
  fill.leave(lead);
  end(ALONE);
  return { response, reason: 'range' };
}

function mayCover(road: Road, place: Place, known: StoredResponse): boolean {
  return mayServeStaleOnError(known.head, road.clock.now(), settingsOfStored(place, known), 'status');
}

/** The judgement of the whole that the part is of. */
function admitPart(
  request: Errand,
  response: OriginResponse,
  { fields }: SlicePart,
  began: Beginning,
): Admission {
  const { requestedAt, respondedAt, body, isEndDoubtful } = response;
  const doubt = isEndDoubtful === undefined ? {} : { isEndDoubtful };
  const whole = { status: 200, reason: '', fields, requestedAt, respondedAt, body, ...doubt };
  return admitResponse(request, whole, began);
}

async function store(
  road: Road,
  { place, slicesPlace }: SliceErrand,
  slice: number,
  fill: Fill,
  head: StoredHead,
  response: OriginResponse,
): Promise<void> {
  const mayPublish = (): boolean => !fill.isInvalidated && !road.purges.isPurged(head);
  const length = head.completeLength as number;
  let writer: StorageWriter | null = null;
  if (mayPublish() && length <= SLICE_BYTES) {
    // It is all there is.
    writer = road.storage.admit(place.cacheKey, { ...head, completeLength: null }, length);
  } else if (mayPublish()) {
    road.storage.admit(slicesPlace.cacheKey, head, 0)?.finish();
    const { start, end } = sliceRange(slice, length);
    writer = road.storage.admit(sliceKeyOf(place.cacheKey, head, slice), head, end - start);
  }
  const body = new SharedBody({ source: response.body, writer, mayPublish, clock: road.clock });
  const hasOriginAge = response.fields.has('age');
  const isStored = writer !== null;
  if (!isStored) road.collapse.detach(fill);
  fill.settle({ kind: 'shared', head, askersHead: head, body, isStored, detail: null, hasOriginAge });
  await body.run();
  road.collapse.end(fill);
  road.recorder.recordFromOrigin(head.siteId, body.arrived);
}
