/**
 * The one thing a listener hands to the road: a request that has arrived and the means to answer it.
 * Each version of HTTP implements it, without the road knowing which it is.
 *
 * Order of calls: any number of `inform`, then exactly one of the `respond…` calls, `acceptTunnel` or `abort`.
 */
import type { Fields } from '#core/http/fields.ts';
import type { TlsTerms } from '#core/model/tls-policy.ts';
import type { AlternativeService } from './alternative-service.ts';

/** The facts of the connection that the road may judge by. */
export interface ConnectionInfo {
  /** The user's address (after PROXY protocol, when a listener asks for it). */
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly scheme: 'http' | 'https';
  /** Null on plain connections. */
  readonly tls: TlsFacts | null;
  /** What its responses are to advertise, if anything. */
  readonly alternative: AlternativeService | null;
}

export interface TlsFacts extends TlsTerms {
  /** The name in the ClientHello (SNI), in lower case; null: none. */
  readonly serverName: string | null;
  /** Such as `TLSv1.3`. */
  readonly protocol: string;
}

/** A request head as received. */
export interface RequestHead {
  readonly method: string;
  /** The request target byte for byte (latin1): origin form, absolute form, or "*". */
  readonly target: string;
  /** Authority the request names: from Host or an absolute-form target; lower case, with port if given. */
  readonly authority: string;
  readonly httpVersion: '1.0' | '1.1' | '2' | '3';
  readonly fields: Fields;
  /**
   * The protocol the client asks to switch to, in lower case: HTTP/1.1 Upgrade (RFC 9110 §7.8), HTTP/2 and 3
   * ":protocol" (RFC 8441, RFC 9220). Null: an ordinary request. Such a request has no body.
   */
  readonly upgrade: string | null;
}

/** Octets that lie in a file. They stay there, and the file open, until the next part has been asked for, or the end. */
export interface FilePart {
  readonly descriptor: number;
  readonly offset: number;
  readonly byteLength: number;
}

export interface FileSink {
  writeFile(part: FilePart): Promise<void>;
}

/**
 * A message body that is read by pulling. At most one read may be pending. Not reading is backpressure:
 * the source stops within its buffer bound.
 */
export interface BodySource {
  /** Bytes in all when announced (Content-Length), else null. */
  readonly length: number | null;
  /**
   * Whether the buffers that its parts lie in hold nothing of anybody else's: one whose last part has been dealt
   * with, as those before it, is of no more use. Missing: they may.
   */
  readonly isSole?: boolean;
  /**
   * The next part, or null at the end. The bytes belong to the caller. Rejects when the body did not
   * arrive whole (connection lost, malformed framing, deadline): what was read so far is then incomplete.
   */
  read(): Promise<Uint8Array | null>;
  /** The same as `read`, but the part need not have been read of its file. Missing: it does not lie in one. */
  readFile?(): Promise<FilePart | Uint8Array | null>;
  /**
   * All of the body in one piece, when it has arrived whole, is not larger than `bytesMax`, has no trailers, and
   * nothing of it was read. It is dealt with then. Null: read it. Missing: nobody can say.
   */
  takeWhole?(bytesMax: number): Uint8Array | null;
  /** Trailer fields, known after the end; null when there were none. */
  trailers(): Fields | null;
  /** Gives up: the source is told to stop and frees what it holds. Safe to call at any time, any number of times. */
  cancel(reason: string): void;
}

/** Where a response body is written when it is streamed. */
export interface BodySink {
  /**
   * Resolves when more may be written (backpressure). Rejects when the client has gone or is too slow. The
   * bytes must not change afterwards: they may leave later.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** There where parts of files are taken as they lie. Resolves when all of the part has been handed on; rejects as `write` does. */
  readonly files?: FileSink | null;
  /** Whether nobody looks any more at what was written, so that its memory may be used anew. Missing: not known. */
  readonly hasLeft?: boolean;
  /** Ends the body; trailers are sent where the protocol can. */
  end(trailers?: Fields): Promise<void>;
  /** Ends it as incomplete, so that the client can tell (RFC 9112 §8: close without the last chunk). */
  abort(reason: string): void;
}

/**
 * What follows a switch of protocols: raw bytes both ways, independent of each other. The end of `source` is the
 * client's half-close, `sink.end()` is ours; losing the client fails both, `sink.abort()` resets both.
 */
export interface Tunnel {
  readonly source: BodySource;
  readonly sink: BodySink;
}

export interface ResponseHead {
  readonly status: number;
  /** Empty: the listener's standard phrase; HTTP/2 and 3 have none. */
  readonly reason: string;
  /** Without Connection, Transfer-Encoding and other hop-by-hop fields: framing is the listener's. */
  readonly fields: Fields;
}

/**
 * A stored response's head made ready to be copied out: everything that does not change between hits.
 * `lines` is latin1 text in HTTP/1.1 form ("Name: value\r\n"…), without status line and end line.
 */
export interface PreparedHead {
  readonly status: number;
  readonly reason: string;
  readonly lines: string;
  /** The lines as HTTP/2 sends them; null until their first use there, which makes and keeps them. */
  block?: PreparedBlock | null;
  /** What its last hits have in common; null or missing: nothing is remembered. */
  recent?: RecentHits | null;
}

/** Hits of a stored response within one second, who differ in nothing that is sent (`recent-hits.ts`). */
export interface RecentHits {
  /** The lines that they add to the prepared ones. */
  readonly dynamicLines: string;
  /** Whether there was more than one, so that remembering more pays. */
  readonly areSeveral: boolean;
  /** The whole response as HTTP/1.1 sends it on a connection that persists; null until it has been made. */
  message: Uint8Array | null;
}

/** A field block without :status, of literals and the static table alone (RFC 7541), so that it fits every connection. */
export interface PreparedBlock {
  readonly bytes: Uint8Array;
  readonly hasDate: boolean;
}

export interface Exchange {
  /** Increasing number within the worker, for log lines. */
  readonly id: number;
  readonly connection: ConnectionInfo;
  readonly request: RequestHead;
  /** Milliseconds since the epoch at which the head was complete. */
  readonly receivedAt: number;
  /** Null when the request has no body. `Expect: 100-continue` is answered at the first read. */
  readonly body: BodySource | null;

  /** True once the client is gone: what is then written is dropped. */
  readonly isGone: boolean;
  /** Called once when the client goes before the response is whole. Only one listener. */
  onGone(listener: () => void): void;

  /** Sends an interim response (1xx, RFC 9110 §15.2). Dropped towards HTTP/1.0 clients. */
  inform(status: number, fields: Fields): void;
  /**
   * Answers with a head and a whole body, in one write. `body` may be shared memory of the cache: it is
   * never changed, and not kept once written. For HEAD, 204 and 304 the body is left out and, for HEAD,
   * Content-Length (of `bodyLength` when given, else of `body`) kept.
   */
  respondWhole(head: ResponseHead, body: Uint8Array | null, bodyLength?: number): void;
  /**
   * The same for a prepared head: `dynamicLines` (latin1 "Name: value\r\n"…) follow the prepared ones.
   * Synchronous: the hot path of a memory hit.
   */
  respondPrepared(
    head: PreparedHead,
    dynamicLines: string,
    body: Uint8Array | null,
    bodyLength: number,
  ): void;
  /**
   * Answers with a head and a streamed body. `bodyLength` null: unknown (chunked, or until close for
   * HTTP/1.0). For HEAD, 204 and 304 the sink takes and drops bytes.
   */
  respondStream(head: ResponseHead, bodyLength: number | null): BodySink;
  /**
   * Accepts the switch that `request.upgrade` asks for: 101 in HTTP/1.1, 200 in HTTP/2 and 3. What the client
   * sent before is the beginning of the tunnel. Any other answer refuses the switch.
   */
  acceptTunnel(fields: Fields): Tunnel;
  /** Cuts the connection (or resets the stream) without an answer. */
  abort(reason: string): void;
}

/** What a listener calls for each request. It must answer the exchange, and not throw. */
export type ExchangeHandler = (exchange: Exchange) => void;
