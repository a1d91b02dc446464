/**
 * Sinks for streamed response bodies over HTTP/2. A body that does not have the announced length resets its
 * stream (RFC 9113 §8.1.1).
 */
import type { Fields } from '#core/http/fields.ts';
import { rejectedAsGone } from '../../connection/client-gone.ts';
import type { BodySink } from '../../exchange.ts';
import type { StreamSender } from '../stream-sender.ts';
import { encodeFields } from './response-block.ts';

const DONE = Promise.resolve();

export class StreamSink implements BodySink {
  /** A write ends when its bytes have been copied into frames. */
  readonly hasLeft = true;
  readonly #sender: StreamSender;
  readonly #fail: (reason: string) => void;
  /** Bytes still to come; Infinity when the length is not known. */
  #remaining: number;
  readonly #hasLength: boolean;
  #isEnded = false;

  /** `fail` ends the stream as incomplete. */
  constructor(sender: StreamSender, length: number | null, fail: (reason: string) => void) {
    this.#sender = sender;
    this.#remaining = length ?? Number.POSITIVE_INFINITY;
    this.#hasLength = length !== null;
    this.#fail = fail;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isEnded) return rejectedAsGone('the body has ended');
    if (bytes.length > this.#remaining) return this.#refuse('body longer than its Content-Length');
    this.#remaining -= bytes.length;
    return this.#sender.send(bytes);
  }

  end(trailers?: Fields): Promise<void> {
    if (this.#isEnded) return DONE;
    if (this.#hasLength && this.#remaining > 0) return this.#refuse('body shorter than its Content-Length');
    this.#isEnded = true;
    const block = trailers === undefined ? null : encodeFields(trailers);
    this.#sender.finish(block === null || block.length === 0 ? null : block);
    return DONE;
  }

  abort(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#fail(reason);
  }

  #refuse(reason: string): Promise<never> {
    this.abort(reason);
    return rejectedAsGone(reason);
  }
}

/** Our side of a tunnel: it may be cut when it has ended, as long as the client's has not. */
export class TunnelSink implements BodySink {
  readonly #sender: StreamSender;
  readonly #fail: (reason: string) => void;

  constructor(sender: StreamSender, fail: (reason: string) => void) {
    this.#sender = sender;
    this.#fail = fail;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#sender.send(bytes);
  }

  end(): Promise<void> {
    this.#sender.finish(null);
    return DONE;
  }

  abort(reason: string): void {
    this.#fail(reason);
  }
}
