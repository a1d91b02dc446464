import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { Fields } from '#core/http/fields.ts';
import type { Exchange } from '#edge/exchange.ts';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  MAX_31,
  PADDED,
  PING,
  PREFACE,
  PRIORITY,
  PRIORITY_UPDATE,
  RST_STREAM,
  SETTINGS,
  SETTINGS_INITIAL_WINDOW_SIZE,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import type { ServerStream } from '#edge/http2/server/server-stream.ts';
import { judgeOutput } from '../support/frame-judge.ts';
import { fieldBlock, frameBytes, requestBlock, settingsPayload, uint32 } from '../support/http2-client.ts';
import { openHttp2Wire, type Wire } from '../support/wire.ts';
import { answerAtOnce, HELLO, PATHS } from './http2-conversations.ts';

/** What a client does next; what the numbers mean depends on it. */
interface Step {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
}

const STEP: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(15),
  a: fc.nat(1_000),
  b: fc.oneof(
    { weight: 9, arbitrary: fc.nat(20) },
    { weight: 9, arbitrary: fc.nat(20_000) },
    fc.constant(MAX_31),
  ),
});

const READ_PATH = '/read';
const ALL_PATHS = [...PATHS, READ_PATH];

/** Turns steps into frames, most of them right; keeps what windows they grant. */
class Client {
  readonly frames: Buffer[] = [];
  /** Bytes that may be sent at most on each stream, beside the initial window, and on all (stream 0). */
  readonly granted = new Map<number, number>();
  initialWindowMax: number;
  #lastId = -1;
  /** Streams that the client has not ended. */
  readonly #open = new Set<number>();

  constructor(initialWindow: number) {
    this.initialWindowMax = initialWindow;
    this.frames.push(HELLO);
    this.#setWindow(initialWindow);
  }

  take({ kind, a, b }: Step): void {
    switch (kind) {
      case 0:
      case 1:
      case 2:
      case 3:
        this.#request(a, b);
        break;
      case 4:
      case 5:
        this.#data(a, b);
        break;
      case 6:
        this.#trailers(a, b);
        break;
      case 7:
        this.#reset(a, b);
        break;
      case 8:
      case 9:
        this.#grant(a % 3 === 0 ? 0 : this.#some(a), b);
        break;
      case 10:
        this.#setWindow(b);
        break;
      case 11:
        this.#push(PING, a % 2, 0, Buffer.alloc(8, b));
        break;
      case 12:
        this.#push(
          PRIORITY_UPDATE,
          0,
          0,
          Buffer.concat([uint32(this.#some(a) + (b % 3) * 2), Buffer.from(`u=${b % 9}, i`)]),
        );
        break;
      case 13:
        this.#push(PRIORITY, 0, this.#some(a), Buffer.alloc(5, b));
        break;
      case 14:
        this.#push(0x20 + (a % 100), b % 256, a % 10, Buffer.alloc(b % 50));
        break;
      default:
        if (a % 20 === 0) this.#push(GOAWAY, 0, 0, Buffer.alloc(8));
        else if (a % 20 === 1) this.#push(CONTINUATION, END_HEADERS, this.#some(a), Buffer.alloc(b % 10));
        else this.#request(a, b);
    }
  }

  #push(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    this.frames.push(frameBytes(type, flags, streamId, payload));
  }

  /** One of the streams there have been; rarely one that has not. */
  #some(a: number): number {
    if (this.#lastId < 1) this.#request(a, 1);
    const count = (this.#lastId + 1) / 2;
    return a % 100 === 0 ? this.#lastId + (a % 300) / 100 : 1 + 2 * (a % count);
  }

  /** One that the client has not ended; rarely one that it has. */
  #unended(a: number): number {
    if (a % 100 === 0) return this.#some(a);
    if (this.#open.size === 0) this.#request(a, 2);
    const open = [...this.#open];
    return open[a % open.length] as number;
  }

  #reset(a: number, b: number): void {
    const streamId = this.#some(a);
    this.#open.delete(streamId);
    this.#push(RST_STREAM, 0, streamId, uint32(b));
  }

  #trailers(a: number, b: number): void {
    const streamId = this.#unended(a);
    this.#open.delete(streamId);
    const flags = END_HEADERS | (b % 7 === 0 ? 0 : END_STREAM);
    this.#push(HEADERS, flags, streamId, fieldBlock([['checksum', `${b}`]]));
  }

  #request(a: number, b: number): void {
    this.#lastId += 2 + (b === 7 ? 4 : 0);
    const path = ALL_PATHS[a % ALL_PATHS.length] as string;
    const isTunnel = path === '/tunnel';
    const block = Buffer.concat([
      requestBlock(path, { method: isTunnel ? 'CONNECT' : b % 2 === 0 ? 'POST' : 'GET' }),
      isTunnel ? fieldBlock([[':protocol', 'websocket']]) : fieldBlock([['priority', `u=${a % 8}`]]),
    ]);
    const end = b % 2 === 1 && !isTunnel ? END_STREAM : 0;
    if (end === 0) this.#open.add(this.#lastId);
    if (b % 5 !== 0) {
      this.#push(HEADERS, END_HEADERS | end, this.#lastId, block);
      return;
    }
    this.#push(HEADERS, end, this.#lastId, block.subarray(0, b % block.length));
    this.#push(CONTINUATION, END_HEADERS, this.#lastId, block.subarray(b % block.length));
  }

  #data(a: number, b: number): void {
    const streamId = this.#unended(a);
    const end = a % 4 === 0 ? END_STREAM : 0;
    if (end !== 0) this.#open.delete(streamId);
    const content = Buffer.alloc(b % 6_000, 'c');
    if (a % 5 !== 0) {
      this.#push(DATA, end, streamId, content);
    } else {
      const padding = a % 256;
      const padded = Buffer.concat([Buffer.of(padding), content, Buffer.alloc(padding)]);
      this.#push(DATA, PADDED | end, streamId, padded);
    }
  }

  #grant(streamId: number, increment: number): void {
    this.granted.set(streamId, (this.granted.get(streamId) ?? 0) + increment);
    this.#push(WINDOW_UPDATE, 0, streamId, uint32(increment));
  }

  #setWindow(bytes: number): void {
    this.initialWindowMax = Math.max(this.initialWindowMax, bytes);
    this.#push(SETTINGS, 0, 0, settingsPayload([[SETTINGS_INITIAL_WINDOW_SIZE, bytes]]));
  }
}

interface Run {
  readonly wire: Wire;
  readonly exchanges: ServerStream[];
  readonly reads: Promise<unknown>[];
}

async function readToEnd(exchange: Exchange): Promise<void> {
  const { body } = exchange;
  let bytes = 0;
  try {
    for (let part = await body?.read(); part; part = await body?.read()) bytes += part.length;
  } catch {
    bytes = -1;
  }
  exchange.respondWhole({ status: 200, reason: '', fields: new Fields() }, Buffer.from(`${bytes}`));
}

function openRun(): Run {
  const exchanges: ServerStream[] = [];
  const reads: Promise<unknown>[] = [];
  const answer = (exchange: Exchange): void => {
    exchanges.push(exchange as ServerStream);
    if (exchange.request.target === READ_PATH) reads.push(readToEnd(exchange));
    else answerAtOnce(exchange);
  };
  const limits = {
    streamWindowBytes: 65_535,
    connectionWindowBytes: 65_535,
    tickMs: 1_000,
    headMs: 3_000,
    bodyProgressMs: 3_000,
    writeProgressMs: 4_000,
    lingerMs: 2_000,
  };
  return { wire: openHttp2Wire(answer, { limits }), exchanges, reads };
}

/** Lets everything happen that is going to. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Brings the bytes in pieces, with ticks between some of them; then the client goes. Returns what was written. */
async function play(
  run: Run,
  bytes: Buffer,
  cuts: readonly number[],
  ticks: number,
  leaves: boolean,
): Promise<Buffer> {
  const { wire } = run;
  let at = 0;
  for (const [i, cut] of [
    ...cuts.map((place) => place % bytes.length).sort((a, b) => a - b),
    bytes.length,
  ].entries()) {
    if (cut > at) wire.bring(bytes.subarray(at, cut));
    at = Math.max(at, cut);
    await settled();
    if (i % 2 === 0) for (let tick = 0; tick < ticks; tick += 1) wire.tick();
  }
  if (leaves) wire.socket.push(null);
  await settled();
  for (let tick = 0; tick < ticks; tick += 1) wire.tick();
  await settled();
  const output = wire.output();
  wire.socket.destroy();
  await wire.closed;
  return output;
}

/** Nothing is left of a connection that is gone: no stream, no read, no deadline. */
async function expectNothingLeft({ wire, exchanges, reads }: Run): Promise<void> {
  await settled();
  for (const exchange of exchanges) {
    const { isGone, request } = exchange;
    if (!exchange.sender.isOver) expect(`${request.target} is open, gone: ${isGone}`).toBe('over');
  }
  await Promise.allSettled(reads);
  expect(wire.isWatched).toBe(false);
}

/** Most of what happens to windows happens to small ones. */
const INITIAL_WINDOW = fc.constantFrom(0, 10, 5_000, 65_535, 1_000_000);
const CUTS = fc.array(fc.nat(100_000), { maxLength: 6 });

test('whatever frames come in whatever order, what we write is right, within the windows, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { maxLength: 60, size: 'max' }),
      CUTS,
      fc.nat(3),
      fc.boolean(),
      INITIAL_WINDOW,
      async (steps, cuts, ticks, leaves, initialWindow) => {
        const client = new Client(initialWindow);
        for (const step of steps) client.take(step);
        const run = openRun();
        const output = await play(run, Buffer.concat(client.frames), cuts, ticks, leaves);
        const { streams } = judgeOutput(output);
        let total = 0;
        for (const [streamId, { content }] of streams) {
          total += content.length;
          const allowed = client.initialWindowMax + (client.granted.get(streamId) ?? 0);
          expect(content.length).toBeLessThanOrEqual(allowed);
        }
        expect(total).toBeLessThanOrEqual(65_535 + (client.granted.get(0) ?? 0));
        await expectNothingLeft(run);
      },
    ),
    { numRuns: 600 },
  );
}, 60_000);

test('frames with bytes changed, left out and repeated never throw, hang or leave anything behind', async () => {
  const change = fc.record({ at: fc.nat(100_000), kind: fc.nat(3), value: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(STEP, { minLength: 1, maxLength: 30, size: 'max' }),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      CUTS,
      fc.nat(3),
      async (steps, changes, cuts, ticks) => {
        const client = new Client(65_535);
        for (const step of steps) client.take(step);
        let frames = Buffer.concat(client.frames.slice(1));
        for (const { at, kind, value } of changes) {
          const place = at % Math.max(1, frames.length);
          const length = kind === 0 ? 0 : kind === 1 ? value : 1;
          const put =
            kind === 1
              ? Buffer.alloc(0)
              : kind === 2
                ? Buffer.of(value)
                : frames.subarray(place, place + value);
          frames = Buffer.concat([frames.subarray(0, place), put, frames.subarray(place + length)]);
        }
        const run = openRun();
        judgeOutput(await play(run, Buffer.concat([HELLO, frames]), cuts, ticks, true));
        await expectNothingLeft(run);
      },
    ),
    { numRuns: 600 },
  );
}, 60_000);

test('noise behind the preface never throws, hangs or leaves anything behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 3_000 }),
      fc.boolean(),
      CUTS,
      async (noise, hasHello, cuts) => {
        const run = openRun();
        const bytes = Buffer.concat([hasHello ? HELLO : PREFACE, noise]);
        judgeOutput(await play(run, bytes, cuts, 1, true));
        await expectNothingLeft(run);
      },
    ),
    { numRuns: 400 },
  );
}, 60_000);
