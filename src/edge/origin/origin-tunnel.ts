/**
 * A connection to an origin after a 101: raw bytes both ways, each direction with its own end, held back by
 * whoever is slower. How long nothing may pass is the road's to say; here is only how long the end may take.
 */
import type { BodySink, BodySource } from '../exchange.ts';
import type { ConnectionUser, OriginConnection } from './connection.ts';
import { lostConnection } from './failures.ts';
import type { OriginLimits } from './limits.ts';
import { OriginFailure, type OriginTunnel } from './origin-client.ts';
import { type BodyFlow, ResponseBody } from './response-body.ts';

const DONE = Promise.resolve();

function ignore(): void {}

export class ConnectionTunnel implements OriginTunnel, ConnectionUser, BodyFlow, BodySink {
  readonly source: BodySource;
  readonly sink: BodySink = this;
  readonly #connection: OriginConnection;
  readonly #limits: OriginLimits;
  readonly #body: ResponseBody;
  #drained: PromiseWithResolvers<void> | null = null;
  #lost: OriginFailure | null = null;
  #hasEnded = false;
  #hasOriginEnded = false;
  #onLost: (() => void) | null = null;

  /** `rest`: bytes that came with the 101. */
  constructor(connection: OriginConnection, rest: Uint8Array, limits: OriginLimits) {
    this.#connection = connection;
    this.#limits = limits;
    this.#body = new ResponseBody(null, limits.bodyBufferBytesMax, this);
    this.source = this.#body;
    connection.use(this);
    if (rest.length > 0) this.#body.add(rest);
  }

  whenLost(listener: () => void): void {
    if (this.#lost === null) this.#onLost = listener;
    else listener();
  }

  // --- to the origin ---

  write(bytes: Uint8Array): Promise<void> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    if (this.#hasEnded) return Promise.reject(new Error('assertion failed: the tunnel has ended'));
    if (bytes.length === 0 || this.#connection.write(bytes)) return DONE;
    this.#drained ??= Promise.withResolvers<void>();
    this.#drained.promise.catch(ignore);
    return this.#drained.promise;
  }

  end(): Promise<void> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#connection.end();
      this.#ended();
    }
    return DONE;
  }

  abort(reason: string): void {
    if (this.#lost !== null) return;
    this.#fail(new OriginFailure('connection_terminated', `the tunnel was given up: ${reason}`, true));
    this.#connection.reset();
  }

  // --- from the origin ---

  onBytes(bytes: Buffer): void {
    this.#body.add(bytes);
  }

  onEnd(): void {
    this.#hasOriginEnded = true;
    this.#body.complete(null);
    this.#ended();
  }

  onDrain(): void {
    this.#drained?.resolve();
    this.#drained = null;
  }

  onLost(error: Error | null): void {
    // Whole in both directions: what happened to the connection is no loss.
    if (this.#hasEnded && this.#hasOriginEnded) return;
    const { host, port } = this.#connection.destination;
    this.#fail(lostConnection(error, `${host}:${port}`, true));
    const onLost = this.#onLost;
    this.#onLost = null;
    onLost?.();
  }

  onDeadline(): void {
    this.#connection.destroy();
  }

  // --- the source ---

  pauseReceiving(): void {
    this.#connection.pause();
  }

  resumeReceiving(): void {
    this.#connection.resume();
  }

  abandon(reason: string): void {
    this.abort(reason);
  }

  // --- ends ---

  #fail(failure: OriginFailure): void {
    this.#lost ??= failure;
    if (!this.#hasOriginEnded) this.#body.fail(failure);
    this.#drained?.reject(failure);
    this.#drained = null;
  }

  /** One direction has ended. When both have, what is still on its way has a moment to leave. */
  #ended(): void {
    if (this.#hasEnded && this.#hasOriginEnded) this.#connection.setDeadline(this.#limits.requestIdleMs);
  }
}
