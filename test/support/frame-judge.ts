/**
 * Judges what an HTTP/2 server has written, as the strictest of clients would (RFC 9113 §5.1, §6): whole frames of
 * known types in a right order, field blocks that decode, nothing on streams that have ended. Returns what each
 * stream was answered with, in a form that does not depend on how content was cut into frames.
 */
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_HEADER_BYTES,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  readUint24,
  readUint31,
  readUint32,
  SETTINGS,
  WINDOW_UPDATE,
} from '#edge/http2/frame.ts';
import { HpackDecoder } from '#edge/http2/hpack/decoder.ts';

export interface JudgedStream {
  /** Field sections in order, as "name: value" lines. */
  readonly heads: string[];
  content: string;
  hasEnded: boolean;
  /** Code of RST_STREAM. */
  reset: number | null;
}

export interface Judgement {
  /** SETTINGS, PING and GOAWAY, in order. */
  readonly control: string[];
  readonly streams: Map<number, JudgedStream>;
}

interface OpenBlock {
  readonly streamId: number;
  readonly endsStream: boolean;
  readonly parts: Buffer[];
}

const BOUNDS = { listBytesMax: 1_000_000, linesMax: 10_000 };

function check(isRight: boolean, what: string): asserts isRight {
  if (!isRight) throw new Error(`the server broke the protocol: ${what}`);
}

/** Throws when the output is wrong. `frameBytesMax` is what the client allows. */
export function judgeOutput(output: Buffer, frameBytesMax = 16_384): Judgement {
  const judge = new FrameJudge(frameBytesMax);
  let at = 0;
  while (at < output.length) {
    check(output.length - at >= FRAME_HEADER_BYTES, 'a frame header is cut');
    const end = at + FRAME_HEADER_BYTES + readUint24(output, at);
    check(end <= output.length, 'a frame is cut');
    judge.take(
      output[at + 3] as number,
      output[at + 4] as number,
      output.readUInt32BE(at + 5),
      output.subarray(at + FRAME_HEADER_BYTES, end),
    );
    at = end;
  }
  check(!judge.isWithinBlock, 'a field block is cut');
  return judge;
}

class FrameJudge implements Judgement {
  readonly control: string[] = [];
  readonly streams = new Map<number, JudgedStream>();
  readonly #frameBytesMax: number;
  readonly #decoder = new HpackDecoder(4_096);
  #block: OpenBlock | null = null;
  #lastStream = 0x7fff_ffff;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  get isWithinBlock(): boolean {
    return this.#block !== null;
  }

  take(type: number, flags: number, streamId: number, payload: Buffer): void {
    check(streamId <= 0x7fff_ffff, 'the reserved bit is set');
    check(payload.length <= this.#frameBytesMax, `a frame of ${payload.length} bytes`);
    check(this.control.length > 0 || type === SETTINGS, 'SETTINGS do not come first');
    if (this.#block !== null) check(type === CONTINUATION, 'a field block is interrupted');
    switch (type) {
      case DATA:
        this.#onData(flags, streamId, payload);
        break;
      case HEADERS:
        check((flags & ~(END_HEADERS | END_STREAM)) === 0, 'flags of HEADERS');
        this.#open(streamId);
        this.#block = { streamId, endsStream: (flags & END_STREAM) !== 0, parts: [payload] };
        this.#endBlock(flags);
        break;
      case CONTINUATION:
        check(this.#block !== null && this.#block.streamId === streamId, 'CONTINUATION of nothing');
        check((flags & ~END_HEADERS) === 0, 'flags of CONTINUATION');
        this.#block.parts.push(payload);
        this.#endBlock(flags);
        break;
      case RST_STREAM:
        this.#onReset(streamId, payload);
        break;
      case WINDOW_UPDATE:
        check(payload.length === 4 && readUint31(payload, 0) > 0, 'WINDOW_UPDATE of nothing');
        if (streamId !== 0) this.#open(streamId);
        break;
      default:
        this.#onControl(type, flags, streamId, payload);
    }
  }

  #onControl(type: number, flags: number, streamId: number, payload: Buffer): void {
    check(streamId === 0, `a frame of type ${type} on a stream`);
    check((flags & ~ACK) === 0, `flags of type ${type}`);
    if (type === SETTINGS) {
      check(flags === ACK ? payload.length === 0 : payload.length % 6 === 0, 'the length of SETTINGS');
    } else if (type === PING) {
      check(payload.length === 8, 'the length of PING');
    } else {
      check(type === GOAWAY && payload.length >= 8, `a frame of type ${type}`);
      const last = readUint31(payload, 0);
      check(last <= this.#lastStream, 'the last stream of GOAWAY rises');
      this.#lastStream = last;
    }
    this.control.push(`${type} ${flags} ${payload.toString('latin1')}`);
  }

  #onData(flags: number, streamId: number, payload: Buffer): void {
    check((flags & ~END_STREAM) === 0, 'flags of DATA');
    const stream = this.#open(streamId);
    check(stream.heads.length > 0, 'DATA before a head');
    stream.content += payload.toString('latin1');
    if ((flags & END_STREAM) !== 0) stream.hasEnded = true;
  }

  #onReset(streamId: number, payload: Buffer): void {
    check(streamId !== 0 && payload.length === 4, 'RST_STREAM of nothing');
    const stream = this.#stream(streamId);
    check(stream.reset === null, `stream ${streamId} is reset twice`);
    stream.reset = readUint32(payload, 0);
  }

  #endBlock(flags: number): void {
    const block = this.#block;
    if (block === null || (flags & END_HEADERS) === 0) return;
    this.#block = null;
    const bytes = Buffer.concat(block.parts);
    const lines = this.#decoder.decode(bytes, 0, bytes.length, BOUNDS);
    check(typeof lines !== 'string', `a field block: ${lines}`);
    const stream = this.#open(block.streamId);
    const pairs = lines.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${lines[i + 1]}`] : []));
    for (const [i, pair] of pairs.entries()) {
      check(!/[A-Z]/.test(lines[2 * i] as string), `a name with capitals: ${pair}`);
      check(pair.startsWith(':') === (i === 0 && pair.startsWith(':status: ')), `a pseudo-field: ${pair}`);
    }
    const wasInterim = stream.heads.every((head) => head.startsWith(':status: 1'));
    check(wasInterim === (pairs[0] ?? '').startsWith(':status: '), 'a head out of place');
    check(wasInterim || block.endsStream, 'trailers that end nothing');
    stream.heads.push(pairs.join('\n'));
    if (block.endsStream) stream.hasEnded = true;
  }

  /** A stream on which the server may still send. */
  #open(streamId: number): JudgedStream {
    check(streamId % 2 === 1, `stream ${streamId}`);
    const stream = this.#stream(streamId);
    check(!stream.hasEnded && stream.reset === null, `a frame on stream ${streamId}, which has ended`);
    return stream;
  }

  #stream(streamId: number): JudgedStream {
    let stream = this.streams.get(streamId);
    if (stream === undefined) {
      stream = { heads: [], content: '', hasEnded: false, reset: null };
      this.streams.set(streamId, stream);
    }
    return stream;
  }
}
