import { describe, expect, test } from 'bun:test';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { textHash } from '#platform/text-hash.ts';
import { encodeHead } from '../head-codec.ts';
import { makeStoredHead } from '../storage.cases.ts';
import { LOCK_WORD, layoutOf, type ShardLayout, SLOTS_PER_BUCKET } from './layout.ts';
import { type NewRecord, readRecord } from './record.ts';
import { Shard } from './shard.ts';

const { shard: LAYOUT } = layoutOf(1024 * 1024);

function makeShard(layout: ShardLayout = LAYOUT): Shard {
  return new Shard(new ArrayBuffer(layout.byteLength), layout);
}

function recordOf(key: string, length: number, variantHash = 0): NewRecord {
  const head = encodeHead(makeStoredHead({ path: key }));
  if (head === null) throw new Error('it should fit');
  return { key, keyHash: textHash(key), variantHash, head, body: new Uint8Array(length).fill(key.length) };
}

const yes = (): boolean => true;

function paths(shard: Shard, key: string): string[] {
  const hash = textHash(key);
  return shard
    .slotsOf(shard.bucketOf(hash), hash)
    .map((slot) => readRecord(shard.octets, shard.offsetOf(slot))?.head.path ?? 'nonsense');
}

function has(shard: Shard, key: string): boolean {
  return paths(shard, key).includes(key);
}

function use(shard: Shard, key: string): void {
  const hash = textHash(key);
  for (const slot of shard.slotsOf(shard.bucketOf(hash), hash)) shard.countUse(slot);
}

function figuresOf(shard: Shard) {
  const figures = { storedResponses: 0, bodyBytes: 0, chargedBytes: 0, admissions: 0, evictions: 0 };
  shard.addFigures(figures);
  return figures;
}

describe('a shard', () => {
  test('keeps all it can while it is cold', () => {
    const shard = makeShard();
    let count = 0;
    while (figuresOf(shard).evictions === 0) shard.insert(recordOf(`k${count++}`, 5_000), yes);
    // Nearly all of the rings, not a tenth of them.
    expect(figuresOf(shard).chargedBytes).toBeGreaterThan(LAYOUT.byteLength * 0.9);
  });

  test('sifts newcomers: the used outlive any number of those used once', () => {
    const shard = makeShard();
    for (let i = 0; i < 30; i++) shard.insert(recordOf(`hot${i}`, 4_000), yes);
    for (let i = 0; i < 2_000; i++) {
      for (let j = 0; j < 30; j++) use(shard, `hot${j}`);
      shard.insert(recordOf(`cold${i}`, 4_000), yes);
    }
    for (let i = 0; i < 30; i++) expect(has(shard, `hot${i}`)).toBe(true);
  });

  test('remembers who left after a single use: the next time it stays', () => {
    const shard = makeShard();
    for (let i = 0; i < 400; i++) shard.insert(recordOf(`filler${i}`, 4_000), yes);
    shard.insert(recordOf('returning', 4_000), yes);
    let rounds = 0;
    while (has(shard, 'returning')) shard.insert(recordOf(`early${rounds++}`, 4_000), yes);
    shard.insert(recordOf('returning', 4_000), yes);
    for (let i = 0; i < 3 * rounds; i++) shard.insert(recordOf(`late${i}`, 4_000), yes);
    expect(has(shard, 'returning')).toBe(true);
  });

  test('replaces a variant in one step, and tells two of them apart', () => {
    const shard = makeShard();
    shard.insert(recordOf('k', 10, 1), yes);
    shard.insert(recordOf('k', 20, 2), yes);
    shard.insert(recordOf('k', 30, 1), yes);
    expect(paths(shard, 'k').length).toBe(2);
    expect(figuresOf(shard)).toMatchObject({
      storedResponses: 2,
      bodyBytes: 50,
      admissions: 3,
      evictions: 0,
    });
    expect(shard.remove('k', textHash('k'), 2)).toBe(1);
    expect(shard.remove('k', textHash('k'), null)).toBe(1);
    expect(figuresOf(shard)).toMatchObject({ storedResponses: 0, bodyBytes: 0, chargedBytes: 0 });
  });

  test('a key with the hash of another is another', () => {
    const shard = makeShard();
    const one = recordOf('one', 10);
    shard.insert(one, yes);
    shard.insert({ ...recordOf('two', 20), keyHash: one.keyHash }, yes);
    expect(paths(shard, 'one').sort()).toEqual(['one', 'two']);
    expect(shard.remove('one', one.keyHash, null)).toBe(1);
    expect(paths(shard, 'one')).toEqual(['two']);
  });

  test('a full bucket gives the place of its least used', () => {
    const shard = makeShard({ ...LAYOUT, bucketCount: 1 });
    for (let i = 0; i < SLOTS_PER_BUCKET; i++) shard.insert(recordOf(`k${i}`, 10), yes);
    for (let i = 0; i < SLOTS_PER_BUCKET; i++) if (i !== 5) use(shard, `k${i}`);
    shard.insert(recordOf('new', 10), yes);
    expect([has(shard, 'k5'), has(shard, 'k4'), has(shard, 'new')]).toEqual([false, true, true]);
    expect(figuresOf(shard)).toMatchObject({ storedResponses: SLOTS_PER_BUCKET, evictions: 1 });
  });

  test('each change gives its bucket another version, an even one', () => {
    const shard = makeShard();
    const bucket = shard.bucketOf(textHash('k'));
    const versions = [shard.versionOf(bucket)];
    const stamp = shard.insert(recordOf('k', 10), yes) ?? 0;
    versions.push(shard.versionOf(bucket));
    shard.replace(recordOf('k', 20), stamp);
    versions.push(shard.versionOf(bucket));
    expect(shard.replace(recordOf('k', 30), stamp)).toBeNull();
    shard.remove('k', textHash('k'), null);
    versions.push(shard.versionOf(bucket));
    expect(new Set(versions).size).toBe(4);
    expect(versions.every((version) => version % 2 === 0)).toBe(true);
  });

  test('what may not be stored leaves nothing', () => {
    const shard = makeShard();
    expect(shard.insert(recordOf('k', 10), () => false)).toBeNull();
    expect(figuresOf(shard)).toMatchObject({ storedResponses: 0, admissions: 0 });
  });

  test('what would fit nowhere is refused, and what is there stays', () => {
    const shard = makeShard();
    shard.insert(recordOf('k', 10), yes);
    expect(shard.insert(recordOf('huge', LAYOUT.byteLength), yes)).toBeNull();
    shard.insert(recordOf('k', 10), yes);
    expect(has(shard, 'k')).toBe(true);
  });
});

describe('the lock of a shard', () => {
  test('left by a process that has ended is taken over, and what it left is dropped', () => {
    const shard = makeShard();
    shard.insert(recordOf('k', 10), yes);
    const bucket = shard.bucketOf(textHash('k'));
    const ended = spawnSync(process.execPath, ['-e', '0']);
    const { words } = shard.octets;
    words[LOCK_WORD] = ((ended.pid << 10) | 1) >>> 0;
    // It died while it was changing the bucket.
    words[bucket] = (words[bucket] as number) + 1;
    shard.insert(recordOf('other', 10), yes);
    expect([has(shard, 'k'), has(shard, 'other')]).toEqual([false, true]);
    expect(shard.versionOf(bucket) % 2).toBe(0);
    expect(figuresOf(shard)).toMatchObject({ storedResponses: 1, bodyBytes: 10 });
    expect(words[LOCK_WORD]).toBe(0);
  });

  test('of a process whose number was given again is taken over, too', () => {
    const shard = makeShard();
    const start = Number(readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ')[19]);
    shard.octets.words[LOCK_WORD] = ((process.pid << 10) | ((start + 1) % 1024)) >>> 0;
    expect(shard.insert(recordOf('k', 10), yes)).not.toBeNull();
  });

  test('of one that lives is waited for, and given up', () => {
    const shard = makeShard();
    const start = Number(readFileSync(`/proc/${process.ppid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19]);
    const mark = ((process.ppid << 10) | (start % 1024)) >>> 0;
    shard.octets.words[LOCK_WORD] = mark;
    expect(shard.insert(recordOf('k', 10), yes)).toBeNull();
    expect(shard.remove('k', 1, null)).toBeNull();
    expect(shard.octets.words[LOCK_WORD]).toBe(mark);
  });

  test('a fault within its section leaves the shard empty and free', () => {
    const shard = makeShard();
    shard.insert(recordOf('k', 10), yes);
    const fault = (): boolean => {
      throw new Error('a fault');
    };
    expect(() => shard.insert(recordOf('k', 10), fault)).toThrow('a fault');
    expect(figuresOf(shard).storedResponses).toBe(0);
    expect(shard.insert(recordOf('k', 10), yes)).not.toBeNull();
  });
});
