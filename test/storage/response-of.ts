/** Responses whose every octet follows from key and fetch, so that a reader can tell whether it got the right one, whole. */
import type { StoredHead } from '#core/caching/stored-head.ts';
import { Fields } from '#core/http/fields.ts';
import { makeStoredHead } from '#edge/storage/storage.cases.ts';

export function headOf(key: string, fetch: number, variant: number, sequence: number): StoredHead {
  const etag = `"${fetch}"`;
  return makeStoredHead({
    etag,
    path: key,
    fields: Fields.of([
      ['ETag', etag],
      ['X-Key', key],
      ['X-Pad', 'p'.repeat(fetch % 300)],
    ]),
    varyNames: ['accept-language'],
    varyValues: [String(variant)],
    requestedAt: fetch,
    tags: fetch % 3 === 0 ? [`t${fetch}`] : [],
    sequence,
  });
}

/** Mostly small, some large. */
export function bodyLengthOf(fetch: number, bytesMax: number): number {
  const mixed = Math.imul(fetch, 0x9e3779b1) >>> 0;
  const bound = mixed % 50 === 0 ? bytesMax : mixed % 5 === 0 ? 40_000 : 4_000;
  return (mixed >>> 8) % Math.min(bound, bytesMax);
}

export function bodyOf(key: string, fetch: number, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state =
    (Math.imul(fetch, 0x85ebca6b) ^ Math.imul(key.length * 31 + key.charCodeAt(key.length - 1), 0xc2b2ae35)) |
    1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** What is wrong with what was found under a key; null: nothing. `floor`: the last fetch that must be gone. */
export function faultOf(
  key: string,
  head: StoredHead,
  lines: string,
  body: Uint8Array,
  floor: number,
): string | null {
  const fetch = Number(head.etag?.slice(1, -1));
  if (head.path !== key) return `found ${head.path}`;
  if (!Number.isInteger(fetch)) return `the ETag is ${head.etag}`;
  const expected = headOf(key, fetch, Number(head.varyValues[0]), head.sequence);
  if (JSON.stringify([...head.fields]) !== JSON.stringify([...expected.fields]))
    return 'the fields are others';
  if (head.tags.join() !== expected.tags.join()) return 'the tags are others';
  if (!lines.startsWith(`ETag: "${fetch}"\r\nX-Key: ${key}\r\n`)) return 'the lines are of another';
  if (fetch <= floor) return `fetch ${fetch} is found after a removal at ${floor}`;
  if (Buffer.compare(body, bodyOf(key, fetch, body.byteLength)) !== 0) return 'the body is another';
  return null;
}
