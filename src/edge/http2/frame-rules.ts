/**
 * What is wrong with a frame that a peer sent, whatever the state of its streams (RFC 9113 §6, RFC 9218 §7.1):
 * its length, and whether it may name a stream. Stream errors are treated as connection errors here, which
 * RFC 9113 §5.4.1 allows: nobody sends such frames but by mistake or by intent.
 */
import {
  ACK,
  CONTINUATION,
  DATA,
  FRAME_SIZE_ERROR,
  GOAWAY,
  HAS_PRIORITY,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  PRIORITY_BYTES,
  PRIORITY_UPDATE,
  PROTOCOL_ERROR,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frame.ts';

export interface FrameFault {
  readonly code: number;
  readonly reason: string;
}

const NO_STREAM: FrameFault = { code: PROTOCOL_ERROR, reason: 'frame-without-stream' };
const WITH_STREAM: FrameFault = { code: PROTOCOL_ERROR, reason: 'frame-with-stream' };
const EVEN_STREAM: FrameFault = { code: PROTOCOL_ERROR, reason: 'stream-even' };
const PUSHED: FrameFault = { code: PROTOCOL_ERROR, reason: 'push-not-allowed' };
const WRONG_SIZE: FrameFault = { code: FRAME_SIZE_ERROR, reason: 'frame-size' };

export function faultOfFrame(
  type: number,
  flags: number,
  streamId: number,
  length: number,
): FrameFault | null {
  switch (type) {
    case DATA:
      return faultOfStream(streamId) ?? sized(length >= paddingBytesMin(flags));
    case HEADERS:
      return faultOfStream(streamId) ?? sized(length >= paddingBytesMin(flags) + priorityBytes(flags));
    case CONTINUATION:
      return faultOfStream(streamId);
    case PRIORITY:
      return streamId === 0 ? NO_STREAM : sized(length === PRIORITY_BYTES);
    case RST_STREAM:
      return faultOfStream(streamId) ?? sized(length === 4);
    case SETTINGS:
      return streamId !== 0 ? WITH_STREAM : sized((flags & ACK) === 0 ? length % 6 === 0 : length === 0);
    case PING:
      return streamId !== 0 ? WITH_STREAM : sized(length === 8);
    case GOAWAY:
      return streamId !== 0 ? WITH_STREAM : sized(length >= 8);
    case WINDOW_UPDATE:
      return (streamId === 0 ? null : faultOfStream(streamId)) ?? sized(length === 4);
    case PRIORITY_UPDATE:
      return streamId !== 0 ? WITH_STREAM : sized(length >= 4);
    case PUSH_PROMISE:
      return PUSHED;
    default:
      return null;
  }
}

/** Streams of even numbers are the server's to open, and nobody does. */
function faultOfStream(streamId: number): FrameFault | null {
  return streamId === 0 ? NO_STREAM : streamId % 2 === 0 ? EVEN_STREAM : null;
}

/** Pad Length, where the frame has it. */
function paddingBytesMin(flags: number): number {
  return (flags & PADDED) === 0 ? 0 : 1;
}

function priorityBytes(flags: number): number {
  return (flags & HAS_PRIORITY) === 0 ? 0 : PRIORITY_BYTES;
}

function sized(isRight: boolean): FrameFault | null {
  return isRight ? null : WRONG_SIZE;
}
