/**
 * One request on its way: from the wish for a connection to the last byte of the response. It judges
 * what an event means at its moment; parsing, buffering and pooling are others' work.
 *
 *   waiting ─ connection ─▶ sending, awaiting the head ─ head ─▶ receiving the body ─▶ over
 *      ▲                              │
 *      └── an idle connection died ───┘   once, and only where RFC 9110 §9.2.2 allows it
 *                                     └─ 101 ──▶ over: the connection is its tunnel's (`origin-tunnel.ts`)
 */
import type { Fields } from '#core/http/fields.ts';
import type { Clock } from '#platform/clock.ts';
import type { ConnectionUser, OriginConnection } from './connection.ts';
import type { Deadlines } from './deadlines.ts';
import { type Destination, destinationOf, hostSent } from './destination.ts';
import { lostConnection } from './failures.ts';
import type { OriginLimits } from './limits.ts';
import {
  OriginFailure,
  type OriginFailureType,
  type OriginRequest,
  type OriginResponse,
} from './origin-client.ts';
import { ConnectionTunnel } from './origin-tunnel.ts';
import type { ConnectionPool, ConnectionWaiter } from './pool.ts';
import { type RequestBodyListener, RequestBodySender } from './request-body.ts';
import { writeRequestHead } from './request-head.ts';
import { type BodyFlow, ResponseBody } from './response-body.ts';
import type { ResponseFraming, StatusLine } from './response-framing.ts';
import { type ResponseListener, ResponseReader } from './response-reader.ts';

export interface FetchSettings {
  readonly pool: ConnectionPool;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly limits: OriginLimits;
}

/** Methods that may be sent again when nobody can say whether the first sending arrived (RFC 9110 §9.2.2). */
export const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Leaving room for a request to cross with the origin's own closing. */
const KEEP_ALIVE_MARGIN_MS = 1_000;

export class OriginFetch
  implements ConnectionWaiter, ConnectionUser, ResponseListener, BodyFlow, RequestBodyListener
{
  readonly #request: OriginRequest;
  readonly #settings: FetchSettings;
  readonly #resolve: (response: OriginResponse) => void;
  readonly #reject: (failure: OriginFailure) => void;
  readonly #destination: Destination;
  readonly #head: string;
  #reader: ResponseReader;
  #connection: OriginConnection | null = null;
  #sender: RequestBodySender | null = null;
  #body: ResponseBody | null = null;
  #framing: ResponseFraming | null = null;
  #requestedAt = 0;
  /** When the whole exchange must be over, on the scale of deadlines. */
  #expiresAt = Number.POSITIVE_INFINITY;
  #hasRetried = false;
  /** Whether the connection had been idle before this request. */
  #isReused = false;
  #hasReceived = false;
  #isSent = false;
  /** Whether the response came before the request was whole: such a connection is not trusted again. */
  #isEarly = false;
  #isBlocked = false;
  #isPaused = false;
  #isDraining = false;
  #isOver = false;
  #unlisten: (() => void) | null = null;

  /** Throws `OriginFailure` when the request may not be sent as it is. */
  constructor(
    request: OriginRequest,
    settings: FetchSettings,
    resolve: (response: OriginResponse) => void,
    reject: (failure: OriginFailure) => void,
  ) {
    const host = hostSent(request.origin, request.fields);
    this.#request = request;
    this.#settings = settings;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#destination = destinationOf(request.origin, host);
    this.#head = writeRequestHead(request, host);
    this.#reader = new ResponseReader(request, settings.limits, this);
  }

  begin(signal: AbortSignal | undefined): void {
    if (signal?.aborted === true) {
      this.giveUp();
      return;
    }
    if (signal !== undefined) {
      const listener = () => this.giveUp();
      signal.addEventListener('abort', listener);
      this.#unlisten = () => signal.removeEventListener('abort', listener);
    }
    this.#settings.pool.acquire(this.#destination, this, false);
  }

  /** The caller wants neither the response nor the rest of it. */
  giveUp(): void {
    if (this.#isOver) return;
    if (this.#body !== null) this.#body.cancel('given up by the caller');
    else this.#fail('connection_terminated', 'given up by the caller');
  }

  // --- pool ---

  onConnection(connection: OriginConnection): void {
    if (this.#isOver) {
      connection.destroy();
      return;
    }
    if (!connection.isUsable) {
      connection.destroy();
      if (connection.hasRested) this.#settings.pool.acquire(this.#destination, this, true);
      else this.#failWith(lostConnection(null, this.#where, false));
      return;
    }
    this.#connection = connection;
    this.#isReused = connection.hasRested;
    connection.use(this);
    this.#requestedAt = this.#settings.clock.now();
    if (!this.#hasRetried) this.#expiresAt = this.#settings.deadlines.now() + this.#settings.limits.totalMs;
    connection.write(this.#head);
    const { body } = this.#request;
    if (body === null) {
      this.onRequestSent();
    } else {
      this.#setDeadline(Number.POSITIVE_INFINITY);
      this.#sender = new RequestBodySender(body, connection, this);
      this.#sender.start();
    }
  }

  onNoConnection(failure: OriginFailure): void {
    // Of a second attempt: the first may have arrived.
    if (this.#requestedAt > 0) this.#fail(failure.type, failure.message);
    else this.#failWith(failure);
  }

  // --- connection ---

  onBytes(bytes: Buffer): void {
    this.#hasReceived = true;
    this.#reader.push(bytes);
    if (this.#body !== null && !this.#isOver && !this.#isPaused && !this.#isDraining) {
      this.#setDeadline(this.#settings.limits.bodyIdleMs);
    }
  }

  onEnd(): void {
    if (this.#hasReceived) this.#reader.end();
    else this.#lose(null);
  }

  onLost(error: Error | null): void {
    this.#connection = null;
    if (!this.#hasReceived) this.#lose(error);
    else if (error === null) this.#reader.end();
    else this.#fail('http_response_incomplete', `connection to ${this.#where} lost: ${error.message}`);
  }

  onDrain(): void {
    this.#sender?.onDrain();
  }

  onDeadline(): void {
    const { limits } = this.#settings;
    if (this.#isDraining) this.#end(false);
    else if (this.#settings.deadlines.now() >= this.#expiresAt) {
      this.#fail('http_response_timeout', `${this.#where} did not finish within ${limits.totalMs} ms`);
    } else if (this.#isPaused) this.#fail('http_response_incomplete', 'nobody read the rest of the body');
    else if (this.#body !== null) {
      this.#fail(
        'connection_read_timeout',
        `${this.#where} sent nothing more of the body for ${limits.bodyIdleMs} ms`,
      );
    } else if (this.#isBlocked) {
      this.#fail('connection_write_timeout', `${this.#where} took no bytes for ${limits.requestIdleMs} ms`);
    } else {
      this.#fail('http_response_timeout', `${this.#where} sent no response within ${limits.firstByteMs} ms`);
    }
  }

  // --- request body ---

  onRequestBlocked(isBlocked: boolean): void {
    this.#isBlocked = isBlocked;
    if (this.#body !== null) return;
    if (isBlocked) this.#setDeadline(this.#settings.limits.requestIdleMs);
    else this.#setDeadline(Number.POSITIVE_INFINITY);
  }

  onRequestSent(): void {
    this.#isSent = true;
    if (this.#body === null) this.#setDeadline(this.#settings.limits.firstByteMs);
  }

  onRequestFailed(failure: OriginFailure): void {
    this.#failWith(failure);
  }

  // --- response ---

  onInform(status: number, fields: Fields): void {
    if (this.#isSent) this.#setDeadline(this.#settings.limits.firstByteMs);
    this.#request.onInform?.(status, fields);
  }

  onSwitch(reason: string, fields: Fields, rest: Buffer): void {
    const connection = this.#connection;
    if (connection === null) return;
    // From here on it is not this request's: neither its end nor its giver-up touches it.
    this.#connection = null;
    this.#end(false);
    const { pool, clock, limits } = this.#settings;
    pool.handOver(connection);
    const tunnel = new ConnectionTunnel(connection, rest, limits);
    const requestedAt = this.#requestedAt;
    const { source: body } = tunnel;
    this.#resolve({ status: 101, reason, fields, body, tunnel, requestedAt, respondedAt: clock.now() });
  }

  onHead(line: StatusLine, framing: ResponseFraming): void {
    this.#framing = framing;
    this.#body = new ResponseBody(framing.length, this.#settings.limits.bodyBufferBytesMax, this, true);
    this.#isEarly = !this.#isSent;
    // RFC 9112 §9.5: an origin that has refused the request need not be sent the rest of it.
    if (this.#isEarly && line.status >= 300) this.#sender?.stop('the origin has answered already');
    const endsWithTls = framing.kind === 'until-close' && this.#destination.tls !== null;
    this.#resolve({
      status: line.status,
      reason: line.reason,
      fields: framing.fields,
      body: this.#body,
      isEndDoubtful: framing.isAmbiguous || endsWithTls,
      requestedAt: this.#requestedAt,
      respondedAt: this.#settings.clock.now(),
    });
  }

  onPart(part: Uint8Array): void {
    if (!this.#isDraining) this.#body?.add(part);
  }

  onResponseEnd(trailers: Fields | null, hasExcess: boolean): void {
    const body = this.#body;
    this.#end(this.#mayReuse && !hasExcess);
    body?.complete(trailers);
  }

  onFault(type: OriginFailureType, detail: string): void {
    this.#fail(type, `${this.#where}: ${detail}`);
  }

  // --- response body ---

  pauseReceiving(): void {
    this.#isPaused = true;
    this.#connection?.pause();
    this.#setDeadline(this.#settings.limits.readerIdleMs);
  }

  resumeReceiving(): void {
    this.#isPaused = false;
    this.#setDeadline(this.#settings.limits.bodyIdleMs);
    this.#connection?.resume();
  }

  abandon(): void {
    if (this.#isOver) return;
    const { drainBytesMax, drainMs } = this.#settings.limits;
    if (!this.#mayReuse || this.#reader.remainingBytes > drainBytesMax) {
      this.#end(false);
      return;
    }
    this.#isDraining = true;
    this.#isPaused = false;
    this.#setDeadline(drainMs);
    this.#connection?.resume();
  }

  // --- ends ---

  /** For the next event, and never beyond the whole exchange's. */
  #setDeadline(afterMs: number): void {
    this.#connection?.setDeadline(Math.min(afterMs, this.#expiresAt - this.#settings.deadlines.now()));
  }

  get #where(): string {
    return `${this.#destination.host}:${this.#destination.port}`;
  }

  get #mayReuse(): boolean {
    return !this.#isEarly && this.#framing?.isReusable === true;
  }

  /** The connection died before any byte of a response. */
  #lose(error: Error | null): void {
    const connection = this.#connection;
    this.#connection = null;
    const mayRetry =
      !this.#hasRetried &&
      this.#isReused &&
      this.#request.body === null &&
      IDEMPOTENT.has(this.#request.method) &&
      !this.#isOver;
    connection?.destroy();
    if (mayRetry) {
      this.#hasRetried = true;
      this.#settings.pool.acquire(this.#destination, this, true);
    } else {
      this.#failWith(lostConnection(error, this.#where, true));
    }
  }

  #fail(type: OriginFailureType, detail: string): void {
    this.#failWith(new OriginFailure(type, detail, this.#requestedAt > 0));
  }

  #failWith(failure: OriginFailure): void {
    if (this.#isOver) return;
    const body = this.#body;
    this.#end(false);
    if (body === null) this.#reject(failure);
    else body.fail(failure);
  }

  /** Lets everything go; nothing that comes later has a meaning. */
  #end(isReusable: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.stop();
    this.#sender?.stop('the exchange with the origin is over');
    this.#unlisten?.();
    this.#unlisten = null;
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) {
      this.#settings.pool.withdraw(this);
      return;
    }
    if (!isReusable) {
      connection.destroy();
      return;
    }
    const { idleConnectionMs } = this.#settings.limits;
    const keepAliveMs = this.#framing?.keepAliveMs ?? null;
    const idleMs =
      keepAliveMs === null
        ? idleConnectionMs
        : Math.min(idleConnectionMs, keepAliveMs - KEEP_ALIVE_MARGIN_MS);
    this.#settings.pool.release(connection, idleMs);
  }
}
