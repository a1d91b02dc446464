/**
 * DNS messages in a TCP stream: two octets of length, then the message (RFC 1035 §4.2.2). Chunks may end
 * anywhere. What is kept is at most one message that is not whole, and the chunk that is being worked off; a
 * message longer than the limit is refused as soon as its length is read.
 */
import { NAMESERVER_LIMITS } from './limits.ts';

const EMPTY = new Uint8Array(0);

export class FrameReader {
  #octets: Uint8Array = EMPTY;
  #at = 0;

  /** Takes the next chunk of the stream. */
  append(chunk: Uint8Array): void {
    const rest = this.#octets.length - this.#at;
    if (rest === 0) {
      this.#octets = chunk;
    } else {
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.#octets.subarray(this.#at));
      joined.set(chunk, rest);
      this.#octets = joined;
    }
    this.#at = 0;
  }

  /** The next whole message; null when the stream has to go on first, `too-long` when it must not. */
  next(): Uint8Array | 'too-long' | null {
    const from = this.#at + 2;
    if (from > this.#octets.length) return null;
    const length = ((this.#octets[this.#at] as number) << 8) | (this.#octets[this.#at + 1] as number);
    if (length > NAMESERVER_LIMITS.tcpQueryOctetsMax) return 'too-long';
    if (from + length > this.#octets.length) return null;
    this.#at = from + length;
    return this.#octets.subarray(from, this.#at);
  }
}
