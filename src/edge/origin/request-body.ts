/**
 * Sends a request's body, part by part, at the pace of whoever is slower: the user who sends it or the
 * origin that takes it (RFC 9112 §7.1 when its length is not known beforehand).
 */
import { errorMessage } from '#core/base/error-message.ts';
import type { BodySource } from '../exchange.ts';
import type { OriginConnection } from './connection.ts';
import { OriginFailure } from './origin-client.ts';
import { writeLastChunk } from './request-head.ts';

export interface RequestBodyListener {
  /** The origin does not take the bytes at the moment, or takes them again. */
  onRequestBlocked(isBlocked: boolean): void;
  onRequestSent(): void;
  /** The body could not be sent whole; what has been sent cannot be completed. */
  onRequestFailed(failure: OriginFailure): void;
}

const CHUNK_END = '\r\n';

export class RequestBodySender {
  readonly #body: BodySource;
  readonly #connection: OriginConnection;
  readonly #listener: RequestBodyListener;
  #sentBytes = 0;
  #isOver = false;
  #onDrained: (() => void) | null = null;

  constructor(body: BodySource, connection: OriginConnection, listener: RequestBodyListener) {
    this.#body = body;
    this.#connection = connection;
    this.#listener = listener;
  }

  start(): void {
    void this.#run();
  }

  /** From the connection: what was written has left. */
  onDrain(): void {
    const onDrained = this.#onDrained;
    this.#onDrained = null;
    onDrained?.();
  }

  /** Sends no more; the rest of the body is given up. The listener hears nothing more. */
  stop(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#body.cancel(reason);
    this.onDrain();
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const part = await this.#body.read();
        if (this.#isOver) return;
        if (part === null) break;
        if (part.length > 0) await this.#send(part);
        if (this.#isOver) return;
      }
      this.#finish();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #send(part: Uint8Array): Promise<void> {
    const { length } = this.#body;
    this.#sentBytes += part.length;
    if (length !== null && this.#sentBytes > length)
      throw new Error('the body is longer than its Content-Length');
    const hasLeft = this.#connection.write(length === null ? chunkOf(part) : part);
    if (hasLeft) return;
    this.#listener.onRequestBlocked(true);
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    if (!this.#isOver) this.#listener.onRequestBlocked(false);
  }

  #finish(): void {
    const { length } = this.#body;
    if (length === null) this.#connection.write(writeLastChunk(this.#body.trailers()));
    else if (this.#sentBytes < length) throw new Error('the body is shorter than its Content-Length');
    this.#isOver = true;
    this.#listener.onRequestSent();
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const detail = errorMessage(error);
    this.#body.cancel(detail);
    const failure = new OriginFailure('http_request_error', `the request body: ${detail}`, true, {
      cause: error,
    });
    this.#listener.onRequestFailed(failure);
  }
}

/** A chunk as it goes on the wire, in one piece for one write. */
function chunkOf(part: Uint8Array): Uint8Array {
  const size = `${part.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + part.length + CHUNK_END.length);
  chunk.write(size, 0, 'latin1');
  chunk.set(part, size.length);
  chunk.write(CHUNK_END, size.length + part.length, 'latin1');
  return chunk;
}
