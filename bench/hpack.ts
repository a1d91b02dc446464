/**
 * Header compression of HTTP/2 by itself: what decoding the field blocks of real clients and encoding those of
 * responses costs. Nothing to compare it with runs in the same process; `hit` compares whole servers.
 */
import { CLIENT_BLOCKS } from '#edge/http2/hpack/client-blocks.cases.ts';
import { HpackDecoder } from '#edge/http2/hpack/decoder.ts';
import { encodeField, encodeFieldPlain, encodeStatus } from '#edge/http2/hpack/encoder.ts';
import type { BenchOptions, BenchResult, BenchRow } from './bench-result.ts';

const BOUNDS = { listBytesMax: 32_768, linesMax: 200 };
const TABLE_BYTES = 4_096;
const BATCH = 1_000;

const fromHex = (text: string) => Buffer.from(text, 'hex');
const chromium = CLIENT_BLOCKS.chromium.map(fromHex);
const h2load = CLIENT_BLOCKS.h2load.map(fromHex);

/** One block after those before it, again and again; it must leave the table as it is. */
function decodeAgain(blocks: readonly Buffer[], again: Buffer | undefined): () => void {
  if (again === undefined) throw new Error('there is no such block');
  const decoder = new HpackDecoder(TABLE_BYTES);
  const decode = (block: Buffer) => {
    const list = decoder.decode(block, 0, block.length, BOUNDS);
    if (typeof list === 'string' || list.length === 0) throw new Error(`not decoded: ${list}`);
  };
  blocks.forEach(decode);
  return () => decode(again);
}

/** Chromium asking for the same again: sixteen lines of the tables, and the path. */
const reload = Buffer.concat([
  fromHex('8287'),
  fromHex('048861139eb60d5485f3'),
  Buffer.from(Array.from({ length: 14 }, (_, age) => 0x80 | (62 + age))),
]);

const target = Buffer.alloc(4_096);
const STORED: readonly (readonly [string, string])[] = [
  ['content-type', 'text/html; charset=utf-8'],
  ['cache-control', 'public, max-age=31536000, immutable'],
  ['etag', '"5d8c72a5edda8d6a:0"'],
  ['last-modified', 'Tue, 13 Oct 2026 08:21:44 GMT'],
  ['content-length', '16384'],
  ['vary', 'accept-encoding'],
  ['x-content-type-options', 'nosniff'],
  ['via', '1.1 perigee'],
];

const CASES: readonly (readonly [string, string, () => void])[] = [
  ['decode', 'h2load: the same request again, 5 lines', decodeAgain(h2load.slice(0, 1), h2load[1])],
  ['decode', 'Chromium: the same request again, 17 lines', decodeAgain(chromium.slice(0, 1), reload)],
  [
    'decode',
    'Chromium: a connection with five requests, 81 lines',
    () => decodeAgain(chromium.slice(0, 4), chromium[4])(),
  ],
  [
    'encode',
    'the stored part of a response: :status and 8 lines',
    () => {
      let at = encodeStatus(target, 0, 200);
      for (const [name, value] of STORED) at = encodeField(target, at, name, value);
    },
  ],
  [
    'encode',
    'what changes with every hit: age, cache-status',
    () => {
      const at = encodeFieldPlain(target, 0, 'age', '1234');
      encodeFieldPlain(target, at, 'cache-status', 'perigee; hit; ttl=86399');
    },
  ],
];

/** Microseconds per call in the best of many short batches: whatever else the machine does only adds to it. */
function measure(work: () => void, seconds: number): number {
  const until = performance.now() + 1_000 * seconds;
  let best = Number.POSITIVE_INFINITY;
  while (performance.now() < until) {
    const startedAt = performance.now();
    for (let i = 0; i < BATCH; i += 1) work();
    best = Math.min(best, (1_000 * (performance.now() - startedAt)) / BATCH);
  }
  return best;
}

export async function run({ seconds }: BenchOptions): Promise<BenchResult> {
  const rows: BenchRow[] = CASES.map(([subject, scenario, work]) => ({
    subject,
    scenario,
    figures: { microsecondsPerCall: measure(work, seconds) },
    rounds: [],
  }));
  return {
    bench: 'hpack',
    description: 'Decoding and encoding of field blocks by themselves, in one thread',
    rows,
    ratios: [],
    versions: { bun: Bun.version },
    notes: [`The best of many batches of ${BATCH} calls.`],
  };
}
