/** HTTP/2 connections, to clients and to origins: conversations whose bytes were changed. */
import type { Socket } from 'node:net';
import { CANCEL } from '#edge/http2/frame.ts';
import { FrameScratch } from '#edge/http2/output.ts';
import { Deadlines, type Timed } from '#edge/origin/deadlines.ts';
import {
  Http2OriginConnection,
  type OriginStream,
  type StreamHandle,
} from '#edge/origin/http2/connection.ts';
import { ORIGIN_LIMITS } from '#edge/origin/limits.ts';
import { requestBlock } from '../../support/http2-client.ts';
import { WireSocket } from '../../support/wire.ts';
import { CONVERSATIONS } from '../http2-conversations.ts';
import { outcomeOf, outputFor } from '../http2-outcome.ts';
import { type FuzzTarget, latin1, mustBe, mustEqual, piecesOf } from '../target.ts';

const FRAMES = latin1(
  ...[
    '\0\0\0\x04\0\0\0\0\0',
    '\0\0\0\x04\x01\0\0\0\0',
    '\0\0\0\0\x01\0\0\0\x01',
    '\0\0\x08\x06\0\0\0\0\0pingpong',
  ],
  ...[
    '\0\0\x04\x08\0\0\0\0\0\0\0\0\x01',
    '\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08',
    '\0\0\0\x09\x04\0\0\0\x01',
    '\0\0\x01',
    '\0\0\0',
  ],
  ...[
    '\x82',
    '\x84',
    '\x86',
    '\x88',
    '\xbe',
    '\x7f\xff\xff\xff',
    '\xff\xff\xff\xff',
    '\0\0\0\x03',
    '\x01\x05',
    '\x01\x24',
    '\x00\x01',
  ],
);

const connections: FuzzTarget = {
  name: 'http2-clients',
  corpus: CONVERSATIONS.map(({ bytes }) => bytes).filter(({ length }) => length < 5_000),
  tokens: FRAMES,
  runs: 1_500,
  async check(input, cuts) {
    // What we write is right whatever comes: the judge throws otherwise.
    await outcomeOf(input, cuts);
    const [first, second] = [await heardOf(input, cuts), await heardOf(input, [])];
    if (first.isAnswered || second.isAnswered) return;
    mustEqual('cut, the same is heard and said', first, second);
  },
};

/**
 * The requests that a road which never answers is asked, and what the engine says by itself. An answer of the
 * engine's own ends a stream, before or after what comes next on it: what is said of that depends on the cuts.
 */
async function heardOf(input: Buffer, cuts: readonly number[]) {
  const requests: unknown[] = [];
  const outcome = await outcomeOf(input, cuts, ({ request }) => {
    requests.push({ ...request, fields: [...request.fields] });
  });
  const isAnswered = outcome.streams.some(([, { heads }]) => heads.length > 0);
  return { requests, outcome, isAnswered };
}

class CountedDeadlines extends Deadlines {
  readonly watched = new Set<Timed>();

  override watch(timed: Timed): void {
    super.watch(timed);
    this.watched.add(timed);
  }

  override forget(timed: Timed): void {
    super.forget(timed);
    this.watched.delete(timed);
  }
}

/** Asks, and keeps what it is told. */
class Asker implements OriginStream {
  readonly told: string[] = [];
  readonly #connection: Http2OriginConnection;
  readonly #handle: StreamHandle;
  content = '';
  ends = 0;

  constructor(connection: Http2OriginConnection, path: string, hasBody: boolean) {
    this.#connection = connection;
    this.#handle = connection.open(this, requestBlock(path), !hasBody);
  }

  onFields(lines: readonly string[], endsStream: boolean): void {
    mustBe('nothing comes behind the end', this.ends === 0);
    this.told.push(`fields ${JSON.stringify(lines)}`);
    if (endsStream) this.#end(null);
  }

  onContent(content: Buffer, _length: number, endsStream: boolean): void {
    mustBe('nothing comes behind the end', this.ends === 0);
    this.content += content.toString('latin1');
    if (endsStream) this.#end(null);
    // One who has enough of it.
    else if (this.content.length > 15_000) this.#end(CANCEL);
  }

  onResetByOrigin(code: number): void {
    this.#told(`reset ${code}`);
  }

  onConnectionLost(detail: string, wasRefused: boolean): void {
    this.#told(`lost, ${wasRefused}: ${detail}`);
  }

  #end(code: number | null): void {
    this.#told(`end ${code}`);
    this.#connection.release(this.#handle, code);
  }

  #told(how: string): void {
    this.ends += 1;
    this.told.push(how);
  }
}

const SCRATCH = new FrameScratch();

/** What each of six askers is told when the pieces come from their origin, which then ends the connection. */
async function toldOf(pieces: readonly Buffer[]): Promise<unknown[]> {
  const socket = new WireSocket();
  const deadlines = new CountedDeadlines();
  const settings = { limits: ORIGIN_LIMITS, deadlines, scratch: SCRATCH };
  const connection = new Http2OriginConnection(socket as unknown as Socket, settings, () => {});
  const askers = ['/', '/a', '/b', '/c', '/d', '/e'].map((path, i) => new Asker(connection, path, i === 2));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const piece of pieces) socket.push(piece);
  socket.push(null);
  await closed;
  mustBe('the connection is closed', connection.isClosed && connection.isIdle && !connection.hasRoom);
  mustEqual('nothing has a deadline afterwards', deadlines.watched.size, 0);
  mustEqual(
    'each asker is told one end',
    askers.map(({ ends }) => ends),
    [1, 1, 1, 1, 1, 1],
  );
  return askers.map(({ told, content }) => [told, content]);
}

const origins: FuzzTarget = {
  name: 'http2-origins',
  corpus: (await Promise.all(CONVERSATIONS.map(({ bytes }) => outputFor(bytes, [])))).filter(
    ({ length }) => length < 50_000,
  ),
  tokens: FRAMES,
  runs: 1_500,
  async check(input, cuts) {
    const whole = await toldOf([input]);
    mustEqual('cut, they are told the same', await toldOf(piecesOf(input, cuts)), whole);
  },
};

export const HTTP2_TARGETS: readonly FuzzTarget[] = [connections, origins];
