/** What every storage must do, whatever its tier: each implementation's test runs these same cases. */
import { describe, expect, test } from 'bun:test';
import type { StoredHead } from '#core/caching/stored-head.ts';
import { Fields } from '#core/http/fields.ts';
import type { BodySource } from '../exchange.ts';
import type { Storage, StorageWriter, StoredResponse } from './storage.ts';

export interface StorageUnderTest {
  readonly name: string;
  create(options: { budgetBytes: number; objectBytesMax?: number }): Storage;
  /** A body that takes several parts to read, bytes; at most 700,000. */
  readonly largeBodyBytes: number;
  /** Whether room is made by the piece: of a log whole segments go, and its own tests look at that. */
  readonly evictsSingly?: boolean;
}

const MIB = 1024 * 1024;

/** A stored head with nothing special about it; `overrides` make the case. */
export function makeStoredHead(overrides: Partial<StoredHead> = {}): StoredHead {
  return {
    status: 200,
    reason: 'OK',
    fields: Fields.of([
      ['Content-Type', 'text/plain'],
      ['ETag', '"one"'],
    ]),
    varyNames: [],
    varyValues: [],
    requestedAt: 1_000,
    respondedAt: 1_010,
    initialAgeSeconds: 0,
    freshnessLifetimeSeconds: 60,
    isHeuristic: false,
    browserTtlSeconds: null,
    mustValidateAlways: false,
    mustNotServeStale: false,
    staleWhileRevalidateSeconds: 0,
    staleIfErrorSeconds: 0,
    completeLength: null,
    etag: '"one"',
    lastModifiedAt: null,
    dateAt: 1_000,
    siteId: 'shop',
    host: 'www.example.com',
    path: '/',
    searchPath: null,
    tags: [],
    purgePosition: 0,
    softPurgePosition: 0,
    sequence: 0,
    ...overrides,
  };
}

export async function readAll(source: BodySource): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = await source.read();
    if (part === null) return new Uint8Array(Buffer.concat(parts));
    parts.push(part);
  }
}

function bytesOf(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed * 7 + (i >> 8)) & 255;
  return bytes;
}

/** As a fetch that began just now would. */
function admit(
  storage: Storage,
  key: string,
  head: StoredHead,
  bodyLength: number | null,
): StorageWriter | null {
  return storage.admit(key, { ...head, sequence: storage.invalidations.sequence }, bodyLength);
}

function fill(
  storage: Storage,
  key: string,
  body: Uint8Array,
  head = makeStoredHead(),
): StoredResponse | null {
  const writer = admit(storage, key, head, body.byteLength);
  if (writer === null || !writer.write(body)) return null;
  return writer.finish();
}

function admitted(writer: StorageWriter | null): StorageWriter {
  if (writer === null) throw new Error('the storage refused what it should take');
  return writer;
}

function variant(language: string): StoredHead {
  return makeStoredHead({ varyNames: ['accept-language'], varyValues: [language] });
}

export function describeStorage(under: StorageUnderTest): void {
  describe(`${under.name}: storing and finding`, () => storingCases(under));
  describe(`${under.name}: fills under way`, () => fillCases(under));
  describe(`${under.name}: replacing, freshening, removing`, () => changingCases(under));
  if (under.evictsSingly ?? true) describe(`${under.name}: the budget`, () => budgetCases(under));
}

function storingCases(under: StorageUnderTest): void {
  test('what was finished is found with its head, prepared lines and whole body', async () => {
    const storage = under.create({ budgetBytes: MIB });
    const body = bytesOf(5000);
    expect(fill(storage, 'k', body)).not.toBeNull();
    const [found] = storage.lookup('k');
    expect(found?.bodyLength).toBe(5000);
    expect(found?.prepared.lines).toBe('Content-Type: text/plain\r\nETag: "one"\r\nVia: 1.1 perigee\r\n');
    expect(await readAll((found as StoredResponse).open(0, 5000))).toEqual(body);
    if (found?.body !== null) expect(found?.body).toEqual(body);
    storage.close();
  });

  test('an onlooker sees the same', () => {
    const storage = under.create({ budgetBytes: MIB });
    const stored = fill(storage, 'k', bytesOf(4000)) as StoredResponse;
    expect(storage.peek('k')).toEqual([stored]);
    expect(storage.lookupAtOnce('k')).toEqual([stored]);
    expect(storage.lookupAtOnce('nothing')).toEqual([]);
    expect(storage.peek('nothing')).toEqual([]);
    storage.close();
  });

  test('nothing is found under a key never stored', () => {
    const storage = under.create({ budgetBytes: MIB });
    expect(storage.lookup('nothing')).toEqual([]);
    storage.close();
  });

  test('an empty body is a body', async () => {
    const storage = under.create({ budgetBytes: MIB });
    const writer = admitted(admit(storage, 'k', makeStoredHead({ status: 204 }), null));
    expect(writer.finish()?.bodyLength).toBe(0);
    const [found] = storage.lookup('k');
    expect(await readAll((found as StoredResponse).open(0, 0))).toEqual(new Uint8Array(0));
    storage.close();
  });

  test('ranges of a body are read exactly, across parts', async () => {
    const storage = under.create({ budgetBytes: 8 * MIB });
    const size = under.largeBodyBytes;
    const body = bytesOf(size);
    const stored = fill(storage, 'k', body) as StoredResponse;
    for (const [start, end] of [
      [0, 1],
      [0, size],
      [size / 2 - 1, size / 2 + 1],
      [size - 1, size],
      [100_000, size - 49_999],
    ] as const) {
      expect(await readAll(stored.open(start, end))).toEqual(body.subarray(start, end));
    }
    storage.close();
  });

  test('a cancelled read ends', async () => {
    const storage = under.create({ budgetBytes: MIB });
    const stored = fill(storage, 'k', bytesOf(1000)) as StoredResponse;
    const source = stored.open(0, 1000);
    source.cancel('enough');
    source.cancel('twice');
    expect(await source.read()).toBeNull();
    storage.close();
  });

  test('variants stand under one key, newest first', () => {
    const storage = under.create({ budgetBytes: MIB });
    for (const language of ['de', 'fr', 'pt']) fill(storage, 'k', bytesOf(10), variant(language));
    expect(storage.lookup('k').map(({ head }) => head.varyValues[0])).toEqual(['pt', 'fr', 'de']);
    storage.close();
  });

  test('variants under one key are bounded; the oldest gives way', () => {
    const storage = under.create({ budgetBytes: 4 * MIB });
    for (let i = 0; i < 200; i++) fill(storage, 'k', bytesOf(10), variant(`l${i}`));
    const found = storage.lookup('k');
    expect(found.length).toBeGreaterThanOrEqual(8);
    expect(found.length).toBeLessThanOrEqual(64);
    expect(found[0]?.head.varyValues[0]).toBe('l199');
    expect(storage.statistics().storedResponses).toBe(found.length);
    storage.close();
  });
}

function fillCases(under: StorageUnderTest): void {
  test('a lookup does not see a fill under way', () => {
    const storage = under.create({ budgetBytes: MIB });
    const writer = admitted(admit(storage, 'k', makeStoredHead(), 4));
    writer.write(bytesOf(4));
    expect(storage.lookup('k')).toEqual([]);
    expect(storage.statistics().storedResponses).toBe(0);
    writer.finish();
    expect(storage.lookup('k').length).toBe(1);
    storage.close();
  });

  test('a fill of unknown length grows, and its parts can be read on the way', () => {
    const storage = under.create({ budgetBytes: 8 * MIB });
    const size = under.largeBodyBytes;
    const body = bytesOf(size);
    const writer = admitted(admit(storage, 'k', makeStoredHead(), null));
    const early: Uint8Array[] = [];
    for (let at = 0; at < body.length; at += 50_000) {
      expect(writer.write(body.subarray(at, at + 50_000))).toBe(true);
      early.push(writer.view(at));
    }
    expect(Buffer.concat(early).equals(body)).toBe(true);
    expect(writer.view(size - 10)).toEqual(body.subarray(size - 10));
    expect(writer.view(size).byteLength).toBe(0);
    expect(writer.finish()?.bodyLength).toBe(size);
    storage.close();
  });

  test('the bytes written are copied: the caller may use its buffer again', async () => {
    const storage = under.create({ budgetBytes: MIB });
    const buffer = new Uint8Array([1, 2, 3]);
    const writer = admitted(admit(storage, 'k', makeStoredHead(), null));
    writer.write(buffer);
    buffer.fill(9);
    const stored = writer.finish() as StoredResponse;
    expect([...(await readAll(stored.open(0, 3)))]).toEqual([1, 2, 3]);
    storage.close();
  });

  test.each([
    ['all of it with a head before', 300, 0, 5_000],
    ['all of it, large', 300, 0, 100_000],
    ['with something behind', 0, 300, 100_000],
    ['behind much else', 50_000, 0, 100_000],
  ])('what is given is stored as it was: %s', async (_, before, behind, size) => {
    const storage = under.create({ budgetBytes: MIB });
    const buffer = new Uint8Array(before + size + behind).map((_, i) => i % 251);
    const given = buffer.subarray(before, before + size);
    const expected = Buffer.from(given);
    const writer = admitted(admit(storage, 'k', makeStoredHead(), size));
    expect(writer.write(given, true)).toBe(true);
    expect(Buffer.from(writer.view(0)).equals(expected)).toBe(true);
    const stored = writer.finish() as StoredResponse;
    expect(Buffer.from(await readAll(stored.open(0, size))).equals(expected)).toBe(true);
    expect(storage.statistics().chargedBytes).toBeGreaterThan(size);
    storage.close();
  });

  test('what is given and refused is the caller’s as before', () => {
    const storage = under.create({ budgetBytes: MIB, objectBytesMax: 50_000 });
    const writer = admitted(admit(storage, 'k', makeStoredHead(), null));
    const given = new Uint8Array(60_000).fill(7);
    expect(writer.write(given, true)).toBe(false);
    expect([given.length, given[59_999]]).toEqual([60_000, 7]);
    storage.close();
  });

  test('an abandoned fill leaves nothing behind', () => {
    const storage = under.create({ budgetBytes: MIB });
    const before = storage.statistics();
    const writer = admitted(admit(storage, 'k', makeStoredHead(), null));
    writer.write(bytesOf(1000));
    writer.abandon();
    writer.abandon();
    expect(writer.write(bytesOf(10))).toBe(false);
    expect(writer.finish()).toBeNull();
    expect(storage.lookup('k')).toEqual([]);
    expect(storage.statistics()).toEqual(before);
    storage.close();
  });

  test('abandoning after the end has no effect', () => {
    const storage = under.create({ budgetBytes: MIB });
    const writer = admitted(admit(storage, 'k', makeStoredHead(), 3));
    writer.write(bytesOf(3));
    expect(writer.finish()).not.toBeNull();
    writer.abandon();
    expect(writer.finish()).toBeNull();
    expect(storage.lookup('k').length).toBe(1);
    storage.close();
  });

  test('a body shorter or longer than announced is never published', () => {
    const storage = under.create({ budgetBytes: MIB });
    const short = admitted(admit(storage, 'short', makeStoredHead(), 10));
    short.write(bytesOf(9));
    expect(short.finish()).toBeNull();
    const long = admitted(admit(storage, 'long', makeStoredHead(), 10));
    expect(long.write(bytesOf(11))).toBe(false);
    expect(long.finish()).toBeNull();
    expect(storage.lookup('short')).toEqual([]);
    expect(storage.lookup('long')).toEqual([]);
    expect(storage.statistics().chargedBytes).toBe(0);
    storage.close();
  });
}

function changingCases(under: StorageUnderTest): void {
  test('a newer response replaces the variant with equal Vary values, and old readers read on', async () => {
    const storage = under.create({ budgetBytes: MIB });
    const first = bytesOf(1000, 1);
    const old = fill(storage, 'k', first, variant('de')) as StoredResponse;
    const reader = old.open(0, 1000);
    fill(storage, 'k', bytesOf(500, 2), variant('de'));
    expect(storage.lookup('k').map(({ bodyLength }) => bodyLength)).toEqual([500]);
    expect(storage.statistics().storedResponses).toBe(1);
    expect(await readAll(reader)).toEqual(first);
    storage.close();
  });

  test('freshening replaces the head, keeps the body, and leaves the former response readable', async () => {
    const storage = under.create({ budgetBytes: MIB });
    const body = bytesOf(100);
    const old = fill(storage, 'k', body) as StoredResponse;
    const fields = Fields.of([
      ['ETag', '"one"'],
      ['X-New', 'yes'],
    ]);
    const fresh = storage.freshen('k', old, makeStoredHead({ fields, respondedAt: 9_000 }));
    expect(fresh?.prepared.lines).toBe('ETag: "one"\r\nX-New: yes\r\nVia: 1.1 perigee\r\n');
    expect(storage.lookup('k')[0]?.head.respondedAt).toBe(9_000);
    expect(await readAll((fresh as StoredResponse).open(0, 100))).toEqual(body);
    expect(old.head.respondedAt).toBe(1_010);
    expect(await readAll(old.open(0, 100))).toEqual(body);
    storage.close();
  });

  test('what is gone or already replaced is not freshened', () => {
    const storage = under.create({ budgetBytes: MIB });
    const old = fill(storage, 'k', bytesOf(10)) as StoredResponse;
    expect(storage.freshen('k', old, makeStoredHead())).not.toBeNull();
    expect(storage.freshen('k', old, makeStoredHead())).toBeNull();
    storage.remove('k');
    expect(storage.freshen('k', old, makeStoredHead())).toBeNull();
    expect(storage.lookup('k')).toEqual([]);
    storage.close();
  });

  test('removing a key forgets all its variants and says how many', async () => {
    const storage = under.create({ budgetBytes: MIB });
    const body = bytesOf(10);
    const held = fill(storage, 'k', body, variant('de')) as StoredResponse;
    fill(storage, 'k', body, variant('fr'));
    fill(storage, 'other', body);
    expect(storage.remove('k')).toBe(2);
    expect(storage.remove('k')).toBe(0);
    expect(storage.lookup('k')).toEqual([]);
    expect(storage.lookup('other').length).toBe(1);
    expect(storage.statistics().storedResponses).toBe(1);
    expect(await readAll(held.open(0, 10))).toEqual(body);
    storage.close();
  });

  test('one variant is forgotten, and the others stay', () => {
    const storage = under.create({ budgetBytes: MIB });
    for (const language of ['de', 'fr']) fill(storage, 'k', bytesOf(10), variant(language));
    storage.forget('k', variant('pt'));
    expect(storage.lookup('k').length).toBe(2);
    storage.forget('k', variant('de'));
    expect(storage.lookup('k').map(({ head }) => head.varyValues[0])).toEqual(['fr']);
    storage.forget('k', variant('fr'));
    storage.forget('nothing', variant('fr'));
    expect(storage.lookup('k')).toEqual([]);
    expect(storage.statistics().storedResponses).toBe(0);
    storage.close();
  });

  test('a removal keeps a fill under way from being published, and later fills may be', () => {
    const storage = under.create({ budgetBytes: MIB });
    const writer = admitted(admit(storage, 'k', makeStoredHead(), 4));
    writer.write(bytesOf(2));
    storage.remove('k');
    expect(writer.write(bytesOf(2))).toBe(true);
    expect(writer.finish()).toBeNull();
    expect(storage.lookup('k')).toEqual([]);
    expect(storage.statistics().chargedBytes).toBe(0);
    expect(fill(storage, 'k', bytesOf(4))).not.toBeNull();
    storage.close();
  });

  test('a closed storage holds and takes nothing', () => {
    const storage = under.create({ budgetBytes: MIB });
    fill(storage, 'k', bytesOf(10));
    const writer = admitted(admit(storage, 'other', makeStoredHead(), 4));
    storage.close();
    expect(writer.write(bytesOf(4))).toBe(false);
    expect(storage.lookup('k')).toEqual([]);
    expect(admit(storage, 'k', makeStoredHead(), 1)).toBeNull();
    expect(storage.statistics()).toMatchObject({ storedResponses: 0, bodyBytes: 0, chargedBytes: 0 });
  });
}

function budgetCases(under: StorageUnderTest): void {
  test('an onlooker’s look keeps nothing alive', () => {
    const storage = under.create({ budgetBytes: MIB });
    fill(storage, 'k', bytesOf(4000));
    for (let i = 0; i < 1000; i++) {
      storage.peek('k');
      fill(storage, `other${i}`, bytesOf(4000));
      storage.lookup(`other${i}`);
      if (storage.peek('k').length === 0) break;
    }
    expect(storage.lookup('k')).toEqual([]);
    storage.close();
  });

  test('a body over the size bound is refused: at once when announced, mid-way when not', () => {
    const storage = under.create({ budgetBytes: 4 * MIB, objectBytesMax: 1000 });
    expect(admit(storage, 'k', makeStoredHead(), 1001)).toBeNull();
    const writer = admitted(admit(storage, 'k', makeStoredHead(), null));
    expect(writer.write(bytesOf(900))).toBe(true);
    const view = writer.view(0);
    expect(writer.write(bytesOf(101))).toBe(false);
    expect(view).toEqual(bytesOf(900));
    expect(writer.write(bytesOf(1))).toBe(false);
    expect(writer.finish()).toBeNull();
    expect(storage.statistics()).toMatchObject({ storedResponses: 0, chargedBytes: 0, refusals: 2 });
    storage.close();
  });

  test('the budget holds at every moment, and every byte is given back', () => {
    const storage = under.create({ budgetBytes: 2 * MIB });
    const { budgetBytes } = storage.statistics();
    let random = 12345;
    const next = (bound: number): number => {
      random = (Math.imul(random, 1103515245) + 12345) >>> 0;
      return random % bound;
    };
    const open: StorageWriter[] = [];
    for (let step = 0; step < 4000; step++) {
      const key = `k${next(300)}`;
      const length = next(20_000);
      const action = next(10);
      if (action < 5) {
        const writer = admit(storage, key, variant(`l${next(3)}`), action < 3 ? length : null);
        if (writer !== null) {
          writer.write(bytesOf(Math.floor(length / 2)));
          writer.write(bytesOf(length - Math.floor(length / 2)));
          if (next(4) === 0) open.push(writer);
          else writer.finish();
        }
      } else if (action < 7) storage.lookup(key);
      else if (action === 7) storage.remove(key);
      else if (action === 8) {
        const [stored] = storage.lookup(key);
        const grown = Fields.of([['X-Grown', 'x'.repeat(next(2000))]]);
        if (stored) storage.freshen(key, stored, { ...stored.head, fields: grown });
      } else {
        const writer = open.shift();
        if (next(2) === 0) writer?.finish();
        else writer?.abandon();
      }
      const { chargedBytes, bodyBytes } = storage.statistics();
      if (chargedBytes > budgetBytes || chargedBytes < 0 || bodyBytes > chargedBytes) {
        throw new Error(`step ${step}: ${chargedBytes} bytes charged, ${bodyBytes} in bodies`);
      }
    }
    for (const writer of open) writer.abandon();
    let found = 0;
    for (let i = 0; i < 300; i++) found += storage.lookup(`k${i}`).length;
    expect(found).toBe(storage.statistics().storedResponses);
    expect(found).toBeGreaterThan(50);
    for (let i = 0; i < 300; i++) storage.remove(`k${i}`);
    expect(storage.statistics()).toMatchObject({ storedResponses: 0, bodyBytes: 0, chargedBytes: 0 });
    storage.close();
  });

  test('under pressure what is used stays and what was used once goes', () => {
    const storage = under.create({ budgetBytes: MIB });
    for (let i = 0; i < 10; i++) fill(storage, `hot${i}`, bytesOf(4000));
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 10; i++) storage.lookup(`hot${i}`);
      for (let i = 0; i < 25; i++) fill(storage, `cold${round}-${i}`, bytesOf(4000));
    }
    let hot = 0;
    for (let i = 0; i < 10; i++) hot += storage.lookup(`hot${i}`).length;
    expect(hot).toBe(10);
    expect(storage.statistics().evictions).toBeGreaterThan(100);
    storage.close();
  });

  test('fills under way hold their share of the budget at most', () => {
    const storage = under.create({ budgetBytes: MIB });
    for (let i = 0; i < 20; i++) fill(storage, `kept${i}`, bytesOf(8000));
    const writers: StorageWriter[] = [];
    for (let i = 0; i < 500; i++) {
      const writer = admit(storage, `slow${i}`, makeStoredHead(), null);
      if (writer?.write(bytesOf(60_000))) writers.push(writer);
    }
    expect(writers.length).toBeGreaterThan(3);
    expect(writers.length * 60_000).toBeLessThan(storage.statistics().budgetBytes);
    let kept = 0;
    for (let i = 0; i < 20; i++) kept += storage.lookup(`kept${i}`).length;
    expect(kept).toBe(20);
    storage.close();
  });
}
