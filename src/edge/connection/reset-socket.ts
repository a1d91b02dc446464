/**
 * Ending a connection so that the other side sees a failure and not an end (RFC 9293 §3.5.3), as far as the
 * runtime can: Node resets no TLS socket (there, the missing close_notify tells, RFC 8446 §6.1), and a socket
 * that it is asked to reset while its own half-close is under way would stay open for ever.
 */
import type { ByteSocket } from '#platform/byte-socket.ts';

/** Ends it at once in any case. */
export function resetSocket(socket: ByteSocket): void {
  // Everything has been sent, and the end may be on its way: nothing is cut short for the other side.
  const isEnding = socket.writableEnded && socket.writableLength === 0 && !socket.writableFinished;
  if (isEnding) {
    socket.destroy();
    return;
  }
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}
