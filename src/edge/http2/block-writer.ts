/** Writes field blocks as HEADERS and CONTINUATION frames (RFC 9113 §6.2, §6.10), nothing between them. */
import { CONTINUATION, END_HEADERS, END_STREAM, FRAME_HEADER_BYTES, HEADERS } from './frame.ts';
import type { FrameOutput } from './output.ts';
import type { PeerSettings } from './settings.ts';

/** Dynamic table size update to 0 (RFC 7541 §6.3): we never use the peer's table. */
const TABLE_UPDATE = 0x20;

export function writeBlock(
  output: FrameOutput,
  peer: PeerSettings,
  streamId: number,
  block: Buffer,
  endsStream: boolean,
): void {
  let rest = block;
  if (peer.owesTableUpdate) {
    rest = Buffer.concat([Buffer.of(TABLE_UPDATE), block]);
    peer.paidTableUpdate();
  }
  const most = Math.min(peer.frameBytesMax, output.pieceBytesMax - FRAME_HEADER_BYTES);
  let type = HEADERS;
  let flags = endsStream ? END_STREAM : 0;
  let at = 0;
  do {
    const end = Math.min(rest.length, at + most);
    if (end === rest.length) flags |= END_HEADERS;
    output.writeFrame(type, flags, streamId, rest, at, end);
    type = CONTINUATION;
    flags = 0;
    at = end;
  } while (at < rest.length);
}
