/**
 * Bytes received and not yet consumed. The usual case, one whole request in one chunk, copies nothing:
 * the chunk itself is the buffer. What is appended to a rest goes into memory that doubles, so that a
 * head that comes byte by byte costs linear work.
 *
 *     bytes: [ consumed | from … to | room ]     bytes handed out as views are never written again
 */
const OWN_BYTES_MIN = 4096;

const EMPTY = Buffer.alloc(0);

export class InputBuffer {
  bytes: Buffer = EMPTY;
  from = 0;
  to = 0;

  get length(): number {
    return this.to - this.from;
  }

  /** Takes `chunk.subarray(start)`; the chunk must not change afterwards. */
  append(chunk: Buffer, start: number): void {
    if (this.from === this.to) {
      this.bytes = chunk;
      this.from = start;
      this.to = chunk.length;
      this.#isOwn = false;
      return;
    }
    const added = chunk.length - start;
    if (!this.#isOwn || this.bytes.length - this.to < added) this.#grow(added);
    this.bytes.set(start === 0 ? chunk : chunk.subarray(start), this.to);
    this.to += added;
  }

  clear(): void {
    this.bytes = EMPTY;
    this.from = 0;
    this.to = 0;
    this.#isOwn = false;
  }

  #isOwn = false;

  #grow(added: number): void {
    const rest = this.length;
    const grown = Buffer.allocUnsafeSlow(Math.max(OWN_BYTES_MIN, 2 * (rest + added)));
    grown.set(this.bytes.subarray(this.from, this.to));
    this.bytes = grown;
    this.from = 0;
    this.to = rest;
    this.#isOwn = true;
  }
}
