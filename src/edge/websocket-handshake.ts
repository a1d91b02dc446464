/**
 * The proof in a WebSocket handshake that the server understood it (RFC 6455 §4.2.2). Asked of origins for
 * every tunnel: a 101 that anything else than a WebSocket server can be made to say opens none.
 */
import { createHash, randomBytes } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A value of Sec-WebSocket-Key. */
export function makeWebSocketKey(): string {
  return randomBytes(16).toString('base64');
}

/** The Sec-WebSocket-Accept that answers `key`. */
export function webSocketAccept(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}
