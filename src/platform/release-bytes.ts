/**
 * Freeing the memory of bytes without waiting for the garbage collector. What a socket brings lies in buffers of up
 * to half a megabyte, each used once: left to the collector they are a hundred megabytes before it runs, and each
 * new one is memory that the processor has not seen lately, and that the system may have taken back in between.
 */

/** Below this the detour costs more than it saves. */
const RELEASED_BYTES_MIN = 16 * 1024;

/**
 * Frees the memory of `bytes`, which nobody may look at again, with all that lies before them in their buffer: they
 * are empty afterwards. Does nothing where they are few, or something lies behind them.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes;
  if (byteLength < RELEASED_BYTES_MIN || bytes.byteOffset + byteLength !== buffer.byteLength) return;
  // A transfer leaves the old buffer detached, and one of another length takes no memory along.
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
