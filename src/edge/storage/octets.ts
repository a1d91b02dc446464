import type { Latin1Buffer } from '#platform/latin1-buffer.ts';

/** One piece of memory, seen at once as octets and as numbers: what records are read from and written to. */
export class Octets {
  readonly bytes: Latin1Buffer;
  /** From octet 4n, 2n and 8n on. In the order of this machine's processor: other machines never see them. */
  readonly words: Uint32Array;
  readonly halves: Uint16Array;
  readonly doubles: Float64Array;

  /** `memory`: of a multiple of 8 octets; the octets are those of the buffer from `byteOffset` on, a multiple of 8. */
  constructor(memory: ArrayBufferLike, byteOffset = 0, byteLength = memory.byteLength - byteOffset) {
    this.bytes = Buffer.from(memory, byteOffset, byteLength) as Latin1Buffer;
    this.words = new Uint32Array(memory, byteOffset, byteLength / 4);
    this.halves = new Uint16Array(memory, byteOffset, byteLength / 2);
    this.doubles = new Float64Array(memory, byteOffset, byteLength / 8);
  }

  /** For who writes all of it before anything is read: what is there at first may be anything. */
  static allocateUnset(byteLength: number): Octets {
    const { buffer, byteOffset } = Buffer.allocUnsafeSlow(byteLength);
    return new Octets(buffer, byteOffset, byteLength);
  }

  static allocate(byteLength: number): Octets {
    return new Octets(new ArrayBuffer(byteLength));
  }
}
