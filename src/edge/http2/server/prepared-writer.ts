/** Writes the head of a stored response, copied from its prepared block: the hot path of a hit over HTTP/2. */
import type { PreparedHead } from '../../exchange.ts';
import { writeBlock } from '../block-writer.ts';
import { END_HEADERS, END_STREAM, FRAME_HEADER_BYTES, HEADERS, writeFrameHeader } from '../frame.ts';
import { encodeStatus } from '../hpack/encoder.ts';
import type { FrameOutput } from '../output.ts';
import type { PeerSettings } from '../settings.ts';
import {
  blockOf,
  dateBlockOf,
  dynamicBlock,
  encodeLength,
  LENGTH_BYTES_MAX,
  STATUS_BYTES_MAX,
} from './response-block.ts';

/**
 * The head of a stored response, copied straight into the output. `length` null: no Content-Length; `now`: ms
 * since the epoch, for a Date that is missing.
 */
export function writePreparedHead(
  output: FrameOutput,
  peer: PeerSettings,
  streamId: number,
  head: PreparedHead,
  dynamicLines: string,
  length: number | null,
  now: number,
  endsStream: boolean,
): void {
  const prepared = blockOf(head);
  const dynamic = dynamicBlock(dynamicLines);
  const date = prepared.hasDate ? null : dateBlockOf(now);
  const dateBytes = date === null ? 0 : date.length;
  const most = STATUS_BYTES_MAX + prepared.bytes.length + dynamic.length + dateBytes + LENGTH_BYTES_MAX;
  const fits = most <= peer.frameBytesMax && most + FRAME_HEADER_BYTES <= output.pieceBytesMax;
  const isDirect = fits && !peer.owesTableUpdate;
  const start = isDirect ? output.reserve(FRAME_HEADER_BYTES + most) : 0;
  const target = isDirect ? output.bytes : Buffer.allocUnsafe(FRAME_HEADER_BYTES + most);
  const from = start + FRAME_HEADER_BYTES;
  let at = encodeStatus(target, from, head.status);
  target.set(prepared.bytes, at);
  at += prepared.bytes.length;
  target.set(dynamic, at);
  at += dynamic.length;
  if (date !== null) target.set(date, at);
  at += dateBytes;
  if (length !== null) at = encodeLength(target, at, length);
  if (!isDirect) {
    writeBlock(output, peer, streamId, target.subarray(from, at), endsStream);
    return;
  }
  const flags = endsStream ? END_HEADERS | END_STREAM : END_HEADERS;
  writeFrameHeader(target, start, at - from, HEADERS, flags, streamId);
  output.fill(at);
}
