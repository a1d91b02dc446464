/**
 * The HTTP/2 client to origins that ask for it: over TLS when the origin agrees by ALPN, over plain connections
 * with prior knowledge (RFC 9113 §3.3). An origin that agrees on HTTP/1.1 only is remembered for a while.
 */
import type { Origin } from '#core/model/site.ts';
import type { Clock } from '#platform/clock.ts';
import type { Deadlines } from '../deadlines.ts';
import { type Destination, destinationOf, hostSent } from '../destination.ts';
import type { DialSettings } from '../dialer.ts';
import type { OriginLimits } from '../limits.ts';
import type { OriginRequest, OriginResponse } from '../origin-client.ts';
import { limitsByOrigin } from '../origin-timeouts.ts';
import { Http2ConnectionPool } from './connection-pool.ts';
import { Http2Fetch, NotHttp2 } from './fetch.ts';
import { ORIGIN_HTTP2_LIMITS } from './limits.ts';

export class Http2Client {
  readonly #pool: Http2ConnectionPool;
  readonly #deadlines: Deadlines;
  readonly #clock: Clock;
  readonly #limitsOf: (origin: Origin) => OriginLimits;
  /** Pool keys of origins that do not speak HTTP/2, and until when that is believed. */
  readonly #refusers = new Map<string, number>();

  constructor(settings: DialSettings, clock: Clock) {
    this.#limitsOf = limitsByOrigin(settings.limits);
    this.#deadlines = settings.deadlines;
    this.#clock = clock;
    this.#pool = new Http2ConnectionPool(settings, (destination) => this.#refused(destination));
  }

  /** Whether this request is one for HTTP/2. Switches of protocols need a connection of their own. */
  takes({ origin, fields, upgrade }: OriginRequest): boolean {
    if (!origin.http2 || upgrade !== undefined) return false;
    const until = this.#refusers.get(destinationOf(origin, hostSent(origin, fields)).key);
    return until === undefined || until <= this.#deadlines.now();
  }

  /** Resolves with the final response's head; rejects with `OriginFailure`, or `NotHttp2` before anything was sent. */
  fetch(request: OriginRequest, signal?: AbortSignal): Promise<OriginResponse> {
    const limits = this.#limitsOf(request.origin);
    const settings = { pool: this.#pool, deadlines: this.#deadlines, clock: this.#clock, limits };
    return new Promise((resolve, reject) => {
      // What may not be sent throws in here, and so rejects.
      new Http2Fetch(request, settings, resolve, reject).begin(signal);
    });
  }

  connections(): { readonly open: number; readonly idle: number } {
    return { open: this.#pool.size, idle: this.#pool.idleSize };
  }

  close(): void {
    this.#pool.close();
  }

  #refused(destination: Destination): Error {
    if (this.#refusers.size >= ORIGIN_HTTP2_LIMITS.refusersMax) this.#refusers.clear();
    this.#refusers.set(destination.key, this.#deadlines.now() + ORIGIN_HTTP2_LIMITS.refusalMs);
    return new NotHttp2(`${destination.host}:${destination.port} does not speak HTTP/2`);
  }
}
