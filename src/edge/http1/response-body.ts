/**
 * Sinks for streamed response bodies. Each frames what it is given (RFC 9112 §6, §7.1) and never lets the
 * connection fall out of step: a body that does not have the announced length cuts the connection.
 */
import type { Fields } from '#core/http/fields.ts';
import { rejectedAsGone } from '../connection/client-gone.ts';
import type { BodySink, FilePart, FileSink } from '../exchange.ts';
import type { Output } from './output.ts';
import { encodeFieldLines } from './response-head.ts';

/** The exchange's connection, as a sink sees it. */
export interface ResponseBodyOwner {
  readonly output: Output;
  /** The response has been handed to the socket whole. */
  responseSent(): void;
  /**
   * Cuts the connection with the response incomplete. `mustReset`: by a reset, because the client would
   * take a mere end for the end of the body.
   */
  cut(reason: string, mustReset: boolean): void;
}

/** The connection, as our side of a tunnel sees it. */
export interface TunnelOwner {
  readonly output: Output;
  /** We send no more; the client still may. */
  endTunnel(): void;
  cut(reason: string, mustReset: boolean): void;
}

const DONE = Promise.resolve();

/** What all sinks share: the head waits for the first bytes, so that both go out in one write. */
abstract class ResponseBody implements BodySink {
  protected readonly owner: ResponseBodyOwner;
  protected head: string;
  protected isEnded = false;
  /** Whether the body ends where the connection does. */
  protected readonly endsWithConnection: boolean = false;

  constructor(owner: ResponseBodyOwner, head: string) {
    this.owner = owner;
    this.head = head;
    // The first bytes of the body usually come in this turn; if not, the head must not wait for them.
    setImmediate(flushHead, this);
  }

  get hasLeft(): boolean {
    return !this.owner.output.hasPending;
  }

  abstract write(bytes: Uint8Array): Promise<void>;
  abstract end(trailers?: Fields): Promise<void>;

  abort(reason: string): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.flushHead();
    this.owner.cut(reason, this.endsWithConnection);
  }

  flushHead(): void {
    if (this.head === '') return;
    const head = this.head;
    this.head = '';
    this.owner.output.write(head, null, '');
  }

  /** The head if it has not gone out yet, as the text to put before the first bytes. */
  protected takeHead(): string {
    const head = this.head;
    this.head = '';
    return head;
  }

  protected finish(): Promise<void> {
    this.isEnded = true;
    const written = this.owner.output.writable();
    this.owner.responseSent();
    return written;
  }

  protected refuse(reason: string): Promise<never> {
    this.abort(reason);
    return rejectedAsGone(reason);
  }
}

function flushHead(body: ResponseBody): void {
  body.flushHead();
}

/** Content-Length: as many bytes as announced, or the connection is cut. */
export class LengthBody extends ResponseBody implements FileSink {
  #remaining: number;

  constructor(owner: ResponseBodyOwner, head: string, length: number) {
    super(owner, head);
    this.#remaining = length;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.isEnded) return rejectedAsGone('the body has ended');
    if (bytes.length > this.#remaining) return this.refuse('body longer than its Content-Length');
    if (bytes.length === 0) return DONE;
    this.#remaining -= bytes.length;
    this.owner.output.write(this.takeHead(), bytes, '');
    return this.owner.output.writable();
  }

  get files(): FileSink | null {
    return this.owner.output.takesFiles ? this : null;
  }

  writeFile(part: FilePart): Promise<void> {
    if (this.isEnded) return rejectedAsGone('the body has ended');
    if (part.byteLength > this.#remaining) return this.refuse('body longer than its Content-Length');
    this.#remaining -= part.byteLength;
    return this.owner.output.writeFile(this.takeHead(), part);
  }

  end(): Promise<void> {
    if (this.isEnded) return DONE;
    if (this.#remaining > 0) return this.refuse('body shorter than its Content-Length');
    this.flushHead();
    return this.finish();
  }
}

/** Chunked transfer coding, with trailers. */
export class ChunkedBody extends ResponseBody {
  write(bytes: Uint8Array): Promise<void> {
    if (this.isEnded) return rejectedAsGone('the body has ended');
    if (bytes.length === 0) return DONE;
    this.owner.output.write(`${this.takeHead()}${bytes.length.toString(16)}\r\n`, bytes, '\r\n');
    return this.owner.output.writable();
  }

  end(trailers?: Fields): Promise<void> {
    if (this.isEnded) return DONE;
    const lines = trailers === undefined ? '' : encodeFieldLines(trailers);
    this.owner.output.write(`${this.takeHead()}0\r\n${lines}\r\n`, null, '');
    return this.finish();
  }
}

/** For HTTP/1.0, a body of unknown length: it ends where the connection does. */
export class CloseBody extends ResponseBody {
  protected override readonly endsWithConnection = true;

  write(bytes: Uint8Array): Promise<void> {
    if (this.isEnded) return rejectedAsGone('the body has ended');
    this.owner.output.write(this.takeHead(), bytes, '');
    return this.owner.output.writable();
  }

  end(): Promise<void> {
    if (this.isEnded) return DONE;
    this.flushHead();
    return this.finish();
  }
}

/** HEAD, 204 and 304: there is no body on the wire, whatever is written. */
export class DroppedBody extends ResponseBody {
  write(): Promise<void> {
    if (this.isEnded) return rejectedAsGone('the body has ended');
    this.flushHead();
    return this.owner.output.writable();
  }

  end(): Promise<void> {
    if (this.isEnded) return DONE;
    this.flushHead();
    return this.finish();
  }

  /** The client has all there is to get, so that nothing is incomplete for it. */
  override abort(): void {
    void this.end();
  }
}

/** Our side of a tunnel: bytes as they are. Its end is a half-close; giving it up resets both ways. */
export class TunnelBody implements BodySink {
  readonly #owner: TunnelOwner;
  #isEnded = false;

  constructor(owner: TunnelOwner) {
    this.#owner = owner;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#isEnded) return rejectedAsGone('the tunnel has ended');
    this.#owner.output.write('', bytes, '');
    return this.#owner.output.writable();
  }

  end(): Promise<void> {
    if (this.#isEnded) return DONE;
    this.#isEnded = true;
    this.#owner.endTunnel();
    return this.#owner.output.writable();
  }

  abort(reason: string): void {
    this.#isEnded = true;
    this.#owner.cut(reason, true);
  }
}
