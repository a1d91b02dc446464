import { describe, expect, test } from 'bun:test';
import type { Objects, Policy } from '#core/simulation/policy.ts';
import { S3Fifo } from '#core/simulation/s3-fifo.ts';
import { makeWorkload, type WorkloadOptions } from '../../../test/support/workload.ts';
import {
  EnginePolicy,
  LEAST_OVERHEAD,
  type Overhead,
  recordBytesOf,
  ringBytesOf,
  USUAL_OVERHEAD,
} from './engine.ts';

const MIB = 1024 * 1024;
const BASE = { seed: 7, requests: 400_000, objects: 40_000, alpha: 0.9, medianBytes: 6_000, spread: 1.5 };
const LOADS: Readonly<Record<string, WorkloadOptions>> = {
  'Zipf 0.9': BASE,
  'Zipf 1.0': { ...BASE, alpha: 1 },
  'one size': { ...BASE, medianBytes: 4_096, spread: 0 },
  'small objects': { ...BASE, medianBytes: 1_000, spread: 0.5, objects: 100_000 },
  'a fifth asked for once': { ...BASE, onceShare: 0.2 },
  scans: { ...BASE, scan: { every: 50_000, length: 5_000 } },
  drift: { ...BASE, drift: 0.5 },
};

function loadOf(options: WorkloadOptions): { objects: Objects; requests: Uint32Array } {
  const numbers = new Map<number, number>();
  const bytes: number[] = [];
  const requests = Uint32Array.from(makeWorkload(options), (request) => {
    const known = numbers.get(request.object) ?? numbers.size;
    if (known === numbers.size) {
      numbers.set(request.object, known);
      bytes.push(request.bytes);
    }
    return known;
  });
  return { objects: { count: bytes.length, bytes: Uint32Array.from(bytes) }, requests };
}

/** Percent of the second half of the requests: what was taken in while all was empty has been sifted by then. */
function hitsOf(policy: Policy, requests: Uint32Array): number {
  let hits = 0;
  const counted = Math.floor(requests.length / 2);
  requests.forEach((object, i) => {
    if (policy.request(object) && i >= counted) hits++;
  });
  return (100 * hits) / (requests.length - counted);
}

function compare(options: WorkloadOptions, budget: number, overhead: Overhead) {
  const { objects, requests } = loadOf(options);
  const engine = new EnginePolicy(budget, objects, overhead);
  const bytes = objects.bytes.map((each) =>
    each > engine.bodyBytesMax ? 2 ** 32 - 1 : recordBytesOf(each, overhead),
  );
  const reference = new S3Fifo(ringBytesOf(engine.layout), { count: objects.count, bytes });
  return { actual: hitsOf(engine, requests), expected: hitsOf(reference, requests) };
}

describe('the engine beside S3-FIFO as the paper has it, with the same room for records of the same size', () => {
  for (const [name, options] of Object.entries(LOADS)) {
    test(`${name}: no more than half a point of hit ratio less`, () => {
      for (const budget of [16 * MIB, 64 * MIB]) {
        const { actual, expected } = compare(options, budget, USUAL_OVERHEAD);
        expect(actual).toBeGreaterThan(expected - 0.5);
        // Nor is the other one hampered.
        expect(actual).toBeLessThan(expected + 2);
      }
    });
  }

  test('records as short as their bodies allow: the same', () => {
    const { actual, expected } = compare(BASE, 32 * MIB, LEAST_OVERHEAD);
    expect(Math.abs(actual - expected)).toBeLessThan(0.5);
  });
});
