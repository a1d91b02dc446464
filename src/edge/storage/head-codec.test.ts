import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { Fields } from '#core/http/fields.ts';
import { decodeHead, encodeHead } from './head-codec.ts';
import { Octets } from './octets.ts';
import { makeStoredHead } from './storage.cases.ts';

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const moment = fc.integer({ min: 0, max: 4_000_000_000_000 });
const seconds = fc.integer({ min: -1, max: 2_147_483_648 });
const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });

const heads: fc.Arbitrary<StoredHead> = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }),
    reason: latin1,
    lines: fc.array(fc.tuple(latin1, latin1), { maxLength: 12 }),
    vary: fc.array(fc.tuple(latin1, orNull(latin1)), { maxLength: 4 }),
    requestedAt: moment,
    respondedAt: moment,
    initialAgeSeconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
    freshnessLifetimeSeconds: fc.double({ min: 0, max: 1e9, noNaN: true }),
    isHeuristic: fc.boolean(),
    browserTtlSeconds: orNull(seconds),
    mustValidateAlways: fc.boolean(),
    mustNotServeStale: fc.boolean(),
    staleWhileRevalidateSeconds: seconds,
    staleIfErrorSeconds: seconds,
    completeLength: orNull(fc.integer({ min: 0, max: 2 ** 40 })),
    etag: orNull(latin1),
    lastModifiedAt: orNull(fc.integer({ min: -(10 ** 12), max: 10 ** 13 })),
    dateAt: moment,
    siteId: latin1,
    host: latin1,
    path: latin1,
    searchPath: orNull(latin1),
    tags: fc.array(latin1, { maxLength: 5 }),
    purgePosition: fc.nat(),
    softPurgePosition: fc.nat(),
    sequence: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  })
  .map(({ lines, vary, ...head }) => ({
    ...head,
    fields: Fields.of(lines),
    varyNames: vary.map(([name]) => name),
    varyValues: vary.map(([, value]) => value),
  }));

function written(head: StoredHead, offset = 64): { octets: Octets; byteLength: number } {
  const encoded = encodeHead(head);
  if (encoded === null) throw new Error('it should fit');
  const octets = Octets.allocate(Math.ceil((offset + encoded.byteLength + 64) / 8) * 8);
  encoded.write(octets, offset);
  return { octets, byteLength: encoded.byteLength };
}

function plain(head: StoredHead | null) {
  return head === null ? null : { ...head, fields: [...head.fields] };
}

describe('a head as octets', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(heads, (head) => {
        const { octets, byteLength } = written(head);
        expect(plain(decodeHead(octets, 64, byteLength))).toEqual(plain(head));
      }),
      { numRuns: 1000 },
    );
  });

  test('lies within its length, and nothing else is touched', () => {
    const { octets, byteLength } = written(makeStoredHead());
    expect(octets.bytes.subarray(0, 64).every((octet) => octet === 0)).toBe(true);
    expect(octets.bytes.subarray(64 + byteLength).every((octet) => octet === 0)).toBe(true);
  });

  test('does not exist of a head with a text of 64 KiB, or with thousands of texts', () => {
    const long = (length: number) => Fields.of([['X-Long', 'x'.repeat(length)]]);
    expect(encodeHead(makeStoredHead({ fields: long(65_535) }))).toBeNull();
    const just = makeStoredHead({ fields: long(65_534) });
    const { octets, byteLength } = written(just);
    expect(plain(decodeHead(octets, 64, byteLength))).toEqual(plain(just));
    const tags = Array.from({ length: 5_000 }, (_, i) => `t${i}`);
    expect(encodeHead(makeStoredHead({ tags }))).toBeNull();
  });
});

describe('octets that are no head', () => {
  test('cut anywhere, or longer than it is: null', () => {
    const { octets, byteLength } = written(makeStoredHead({ tags: ['a', 'b'] }));
    for (let length = 0; length < byteLength; length++) expect(decodeHead(octets, 64, length)).toBeNull();
    expect(decodeHead(octets, 64, byteLength + 1)).toBeNull();
    expect(decodeHead(octets, 64, 1_000_000)).toBeNull();
  });

  test('whatever they are: a head or null, never an error', () => {
    const { octets, byteLength } = written(
      makeStoredHead({ tags: ['a'], varyNames: ['x'], varyValues: ['y'] }),
    );
    const original = Buffer.from(octets.bytes);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }),
        fc.nat(2 * byteLength),
        (changes, length) => {
          octets.bytes.set(original);
          for (const [at, octet] of changes) octets.bytes[64 + at] = octet;
          decodeHead(octets, 64, length);
          decodeHead(octets, 64, byteLength);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
