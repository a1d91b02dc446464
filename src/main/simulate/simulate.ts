/** What caches of several sizes and policies would have made of a trace, all in one pass over it. */
import { AppError } from '#core/base/app-error.ts';
import { Lru } from '#core/simulation/lru.ts';
import type { Objects, Policy } from '#core/simulation/policy.ts';
import { S3Fifo } from '#core/simulation/s3-fifo.ts';
import { Sieve } from '#core/simulation/sieve.ts';
import { STORAGE_LIMITS } from '#edge/storage/limits.ts';
import { bodyBytesMaxOf, layoutOf } from '#edge/storage/shared/layout.ts';
import { EnginePolicy } from './engine.ts';
import { readTrace } from './read-trace.ts';
import { KEYS_MAX, type Survey, surveyTrace } from './survey.ts';

export const POLICIES = ['LRU', 'SIEVE', 'S3-FIFO', 'engine'] as const;
export type PolicyName = (typeof POLICIES)[number];

export interface HitRatios {
  readonly objectHitRatio: number;
  readonly byteHitRatio: number;
}

export interface SizeResult {
  /** Of the cache that is simulated, octets. */
  readonly bytes: number;
  /** Null: too small, by the share of the keys, for the engine to be as it is. */
  readonly policies: Readonly<Record<PolicyName, HitRatios | null>>;
}

export interface SimulationReport {
  readonly requests: number;
  /** Keys that were simulated, and of all keys their share: what is in the trace, and of that what was looked at. */
  readonly objects: number;
  readonly share: number;
  /** Octets of all bodies that may be kept, of all keys. */
  readonly footprintBytes: number;
  /** Larger bodies are kept by none of the policies. */
  readonly bodyBytesMax: number;
  /** Of requests, those for larger bodies. */
  readonly largeShare: number;
  readonly observedHitRatio: number | null;
  readonly starts: number;
  readonly sizes: readonly SizeResult[];
}

export interface SimulateOptions {
  /** Octets of the real caches; null: shares of the footprint. */
  readonly sizes: readonly number[] | null;
  /** Where the trace does not say it; null: all keys are in it. */
  readonly share: number | null;
  /** Of the requests at the beginning, this share is not counted. */
  readonly warmUpShare: number;
  /** For tests: departures from the bounds. */
  readonly keysMax?: number;
  readonly memoryBytesMax?: number;
}

const BODY_BYTES_MAX = STORAGE_LIMITS.sharedObjectBytesMax;
const FOOTPRINT_SHARES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3];
/** What the engines of all sizes may take of this process's memory. */
const MEMORY_BYTES_MAX = 1024 ** 3;

export async function simulate(path: string, options: SimulateOptions): Promise<SimulationReport> {
  const { keysMax = KEYS_MAX, memoryBytesMax = MEMORY_BYTES_MAX } = options;
  let survey = await surveyTrace(path, keysMax);
  if (survey.requests === 0) throw new AppError('invalid', `${path} has no requests`);
  let plan = planOf(survey, options);
  const scaled = plan.sizes.reduce((sum, size) => sum + size * plan.share, 0);
  if (scaled > memoryBytesMax) {
    const fewer = Math.max(1, Math.floor((survey.objects.count * memoryBytesMax) / scaled));
    survey = await surveyTrace(path, fewer);
    plan = planOf(survey, options);
  }
  return run(path, survey, plan, options);
}

interface Plan {
  readonly share: number;
  readonly footprintBytes: number;
  readonly sizes: readonly number[];
}

function planOf({ share, looked, objects }: Survey, options: SimulateOptions): Plan {
  const all = looked * (share ?? options.share ?? 1);
  let kept = 0;
  for (const bytes of objects.bytes) if (bytes <= BODY_BYTES_MAX) kept += bytes;
  const footprintBytes = Math.round(kept / all);
  const sizes =
    options.sizes ?? FOOTPRINT_SHARES.map((each) => Math.max(1, Math.round(each * footprintBytes)));
  return { share: all, footprintBytes, sizes };
}

interface Contender {
  readonly size: number;
  readonly name: PolicyName;
  readonly policy: Policy | null;
  hits: number;
  hitBytes: number;
}

async function run(
  path: string,
  survey: Survey,
  plan: Plan,
  options: SimulateOptions,
): Promise<SimulationReport> {
  const { numbers, objects, requestsLooked } = survey;
  const contenders = plan.sizes.flatMap((size) => contendersOf(size, size * plan.share, objects));
  const firstCounted = Math.floor(requestsLooked * options.warmUpShare);
  let played = 0;
  const counted = { requests: 0, bytes: 0, large: 0 };
  await readTrace(path, ({ key }) => {
    const object = numbers.get(key);
    if (object === undefined) return;
    const isCounted = played++ >= firstCounted;
    const bytes = objects.bytes[object] as number;
    if (isCounted) {
      counted.requests++;
      counted.bytes += bytes;
      if (bytes > BODY_BYTES_MAX) counted.large++;
    }
    if (bytes > BODY_BYTES_MAX) return;
    for (const contender of contenders) play(contender, object, isCounted ? bytes : null);
  });
  const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  const resultOf = (size: number, name: PolicyName): HitRatios | null => {
    const found = contenders.find((each) => each.size === size && each.name === name);
    if (found?.policy == null) return null;
    return {
      objectHitRatio: ratio(found.hits, counted.requests),
      byteHitRatio: ratio(found.hitBytes, counted.bytes),
    };
  };
  return {
    requests: survey.requests,
    objects: objects.count,
    share: plan.share,
    footprintBytes: plan.footprintBytes,
    bodyBytesMax: BODY_BYTES_MAX,
    largeShare: ratio(counted.large, counted.requests),
    observedHitRatio: survey.observedHits === null ? null : survey.observedHits / survey.requests,
    starts: survey.starts,
    sizes: plan.sizes.map((bytes) => ({
      bytes,
      policies: {
        LRU: resultOf(bytes, 'LRU'),
        SIEVE: resultOf(bytes, 'SIEVE'),
        'S3-FIFO': resultOf(bytes, 'S3-FIFO'),
        engine: resultOf(bytes, 'engine'),
      },
    })),
  };
}

/** `bytes` null: it is not counted. */
function play(contender: Contender, object: number, bytes: number | null): void {
  if (contender.policy?.request(object) !== true || bytes === null) return;
  contender.hits++;
  contender.hitBytes += bytes;
}

/** `scaled`: what is simulated of `size`. */
function contendersOf(size: number, scaled: number, objects: Objects): Contender[] {
  const policies: Record<PolicyName, Policy | null> = {
    LRU: new Lru(scaled, objects),
    SIEVE: new Sieve(scaled, objects),
    'S3-FIFO': new S3Fifo(scaled, objects),
    engine: engineOf(scaled, objects),
  };
  return POLICIES.map((name) => ({ size, name, policy: policies[name], hits: 0, hitBytes: 0 }));
}

/** Null where a single shard would be so small that it refuses what a real one takes. */
function engineOf(scaled: number, objects: Objects): Policy | null {
  if (scaled < STORAGE_LIMITS.memoryBytesMin || bodyBytesMaxOf(layoutOf(scaled)) < BODY_BYTES_MAX)
    return null;
  return new EnginePolicy(scaled, objects);
}
