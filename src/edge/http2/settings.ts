/** What the peer says it accepts (RFC 9113 §6.5, RFC 8441 §3, RFC 9218 §2.1), and our own SETTINGS frame. */
import {
  DEFAULT_FRAME_BYTES_MAX,
  DEFAULT_TABLE_BYTES,
  DEFAULT_WINDOW_BYTES,
  FLOW_CONTROL_ERROR,
  FRAME_BYTES_LIMIT,
  FRAME_HEADER_BYTES,
  MAX_31,
  PROTOCOL_ERROR,
  readUint32,
  SETTINGS,
  SETTINGS_ENABLE_CONNECT_PROTOCOL,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_FRAME_SIZE,
  SETTINGS_MAX_HEADER_LIST_SIZE,
  SETTINGS_NO_RFC7540_PRIORITIES,
  writeFrameHeader,
  writeUint32,
} from './frame.ts';

const SETTING_BYTES = 6;

export class PeerSettings {
  /** Window that streams begin with. */
  initialWindowBytes = DEFAULT_WINDOW_BYTES;
  frameBytesMax = DEFAULT_FRAME_BYTES_MAX;
  /** Streams it lets us open; unlimited until said. */
  streamsMax = MAX_31;
  /** Size of field lists it is willing to read; advice only. */
  fieldListBytesMax = MAX_31;
  /** Whether it takes CONNECT with :protocol (RFC 8441). */
  hasConnectProtocol = false;
  /**
   * The peer reduced its dynamic table below what holds at first, so that the next field block we send must
   * begin with a size update (RFC 7541 §4.2).
   */
  owesTableUpdate = false;
  #hasTableUpdate = false;

  /** Applies a payload, one setting after the other. Returns 0, or the error code it deserves. */
  apply(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at + SETTING_BYTES <= to; at += SETTING_BYTES) {
      const id = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      const error = this.#applyOne(id, readUint32(bytes, at + 2));
      if (error !== 0) return error;
    }
    return 0;
  }

  /** The size update has been written; we never use the table, so that no other can be owed. */
  paidTableUpdate(): void {
    this.owesTableUpdate = false;
    this.#hasTableUpdate = true;
  }

  #applyOne(id: number, value: number): number {
    switch (id) {
      case SETTINGS_HEADER_TABLE_SIZE:
        if (value < DEFAULT_TABLE_BYTES && !this.#hasTableUpdate) this.owesTableUpdate = true;
        return 0;
      case SETTINGS_ENABLE_PUSH:
      case SETTINGS_NO_RFC7540_PRIORITIES:
        return value > 1 ? PROTOCOL_ERROR : 0;
      case SETTINGS_ENABLE_CONNECT_PROTOCOL:
        // Once given it may not be taken back (RFC 8441 §3).
        if (value > 1 || (value === 0 && this.hasConnectProtocol)) return PROTOCOL_ERROR;
        this.hasConnectProtocol = value === 1;
        return 0;
      case SETTINGS_MAX_CONCURRENT_STREAMS:
        this.streamsMax = value;
        return 0;
      case SETTINGS_INITIAL_WINDOW_SIZE:
        if (value > MAX_31) return FLOW_CONTROL_ERROR;
        this.initialWindowBytes = value;
        return 0;
      case SETTINGS_MAX_FRAME_SIZE:
        if (value < DEFAULT_FRAME_BYTES_MAX || value > FRAME_BYTES_LIMIT) return PROTOCOL_ERROR;
        this.frameBytesMax = value;
        return 0;
      case SETTINGS_MAX_HEADER_LIST_SIZE:
        this.fieldListBytesMax = value;
        return 0;
      default:
        return 0;
    }
  }
}

/** A SETTINGS frame of (identifier, value) pairs. */
export function settingsFrame(settings: readonly (readonly [number, number])[]): Buffer {
  const frame = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES + settings.length * SETTING_BYTES);
  let at = writeFrameHeader(frame, 0, settings.length * SETTING_BYTES, SETTINGS, 0, 0);
  for (const [id, value] of settings) {
    frame[at] = id >>> 8;
    frame[at + 1] = id;
    at = writeUint32(frame, at + 2, value);
  }
  return frame;
}
