import { describe, expect, test } from 'bun:test';
import { resolveSettings } from '#core/model/cache-settings.ts';
import { siteSchema } from '#core/model/site.ts';
import { EXAMPLE_AT, exampleHead } from './example-head.cases.ts';
import {
  ageFieldValue,
  currentAgeSeconds,
  isFresh,
  isServerFailure,
  mayServeStaleOnError,
  mayServeStaleWhileRevalidate,
} from './freshness.ts';
import type { StoredHead } from './stored-head.ts';

const SETTINGS = resolveSettings(
  siteSchema.parse({
    id: 'shop',
    hosts: ['www.example.com'],
    origins: [{ url: 'http://192.0.2.1' }],
    staleWhileRevalidateSeconds: 10,
    staleIfErrorSeconds: 100,
  }),
  null,
  null,
);
const after = (seconds: number) => EXAMPLE_AT + seconds * 1000;

describe('age', () => {
  test('AG1 grows with the time it lies here', () => {
    const head = exampleHead({ initialAgeSeconds: 5.5 });
    expect(currentAgeSeconds(head, after(3))).toBe(8.5);
    expect(ageFieldValue(head, after(3))).toBe(8);
    expect(ageFieldValue(exampleHead({ initialAgeSeconds: 3e9 }), after(0))).toBe(2_147_483_648);
  });
  test('AG2 never shrinks when a clock is set back', () => {
    expect(currentAgeSeconds(exampleHead({ initialAgeSeconds: 5 }), after(-100))).toBe(5);
  });
  test('DE5 fresh while the lifetime is greater than the age', () => {
    expect(isFresh(exampleHead(), after(59.999))).toBe(true);
    expect(isFresh(exampleHead(), after(60))).toBe(false);
  });
});

describe('stale answers', () => {
  const whileRevalidating: [
    rule: string,
    changes: Partial<StoredHead>,
    seconds: number,
    expected: boolean,
  ][] = [
    ['ST2', {}, 69, true],
    ['ST2', {}, 70, false],
    ['ST2', { staleWhileRevalidateSeconds: 20 }, 79, true],
    ['ST2', { staleWhileRevalidateSeconds: 0 }, 61, false],
    ['ST1', { mustNotServeStale: true }, 61, false],
    ['ST1', { mustValidateAlways: true }, 61, false],
  ];
  for (const [rule, changes, seconds, expected] of whileRevalidating) {
    test(`${rule} while revalidating ${JSON.stringify(changes)} at ${seconds} s: ${expected}`, () => {
      expect(mayServeStaleWhileRevalidate(exampleHead(changes), after(seconds), SETTINGS)).toBe(expected);
    });
  }

  type ErrorCase = [
    rule: string,
    changes: Partial<StoredHead>,
    seconds: number,
    disconnect: boolean,
    status: boolean,
  ];
  const onError: ErrorCase[] = [
    ['ST3', {}, 159, true, true],
    ['ST3', {}, 160, false, false],
    ['ST3', { staleIfErrorSeconds: 5 }, 64, true, true],
    ['ST4', { staleIfErrorSeconds: 5 }, 66, true, false],
    ['ST4', { staleIfErrorSeconds: 0 }, 66, true, false],
    ['ST4', { staleIfErrorSeconds: 500 }, 300, true, true],
    ['ST1', { mustNotServeStale: true }, 61, false, false],
    ['ST1', { mustNotServeStale: true }, 59, true, true],
    ['ST1', { mustValidateAlways: true }, 59, false, false],
    ['ST5', { status: 503 }, 61, false, false],
    ['ST5', { status: 404 }, 61, true, true],
  ];
  for (const [rule, changes, seconds, disconnect, status] of onError) {
    test(`${rule} on error ${JSON.stringify(changes)} at ${seconds} s: ${disconnect}, ${status}`, () => {
      const head = exampleHead(changes);
      expect(mayServeStaleOnError(head, after(seconds), SETTINGS, 'disconnect')).toBe(disconnect);
      expect(mayServeStaleOnError(head, after(seconds), SETTINGS, 'status')).toBe(status);
    });
  }

  test('ST3 which answers count as failures', () => {
    expect([499, 500, 501, 502, 503, 504, 505].filter(isServerFailure)).toEqual([500, 502, 503, 504]);
  });
});
