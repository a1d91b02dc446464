/**
 * The part of a `node:net` socket that connections of users use. Sockets of node:net and node:tls satisfy it as
 * they are; so does `lean-socket.ts`, which leaves out everything else.
 */

export interface ByteSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly destroyed: boolean;
  /** Bytes written that the kernel has not taken yet. While there are any, the memory they lie in must not change. */
  readonly writableLength: number;
  /** Whether `drain` will say when to go on writing. */
  readonly writableNeedDrain: boolean;
  /** Whether our side was ended, and whether that has left. */
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  /** False: wait for `drain` before writing more. */
  write(bytes: Uint8Array): boolean;
  /**
   * Writes octets of a file as far as they are taken at once, and keeps nothing: how many were. Fewer than asked for:
   * `drain` follows. None while `writableLength` is above 0. Throws what reading says. Missing: the socket cannot.
   */
  writeFile?(descriptor: number, offset: number, byteLength: number): number;
  /** Ends our side once all has been written; the other side may go on (half-open). */
  end(): unknown;
  /** Ends our side, and closes once all has been written. */
  destroySoon(): unknown;
  /** Closes at once; what was not taken is lost. */
  destroy(): unknown;
  /** The same by a reset, so that the other side can tell. */
  resetAndDestroy(): unknown;
  pause(): unknown;
  resume(): unknown;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'end' | 'drain' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}
