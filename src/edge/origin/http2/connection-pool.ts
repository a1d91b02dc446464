/**
 * The HTTP/2 connections of this worker to all origins: few for each, shared by many requests. Who finds no room
 * waits for a connection that is being made, or for a place, in a bounded queue.
 *
 *   acquire ─ room on one? ──▶ stream
 *      └───── dial (if none is under way and there may be more) ─▶ queue ─▶ stream, or failure
 */
import { FrameScratch } from '../../http2/output.ts';
import type { Deadlines } from '../deadlines.ts';
import type { Destination } from '../destination.ts';
import { Dialer, type DialSettings } from '../dialer.ts';
import type { OriginLimits } from '../limits.ts';
import { OriginFailure } from '../origin-client.ts';
import { Http2OriginConnection } from './connection.ts';
import { ORIGIN_HTTP2_LIMITS } from './limits.ts';

export interface StreamWaiter {
  /** There is room on this connection, and the waiter takes it at once. */
  onConnection(connection: Http2OriginConnection): void;
  /** An `OriginFailure`, or `NotHttp2`. */
  onNoConnection(failure: Error): void;
}

interface Lane {
  readonly destination: Destination;
  readonly connections: Set<Http2OriginConnection>;
  /** In order, with the moment until which each waits. */
  readonly queue: Map<StreamWaiter, number>;
  dial: Dialer | null;
}

/** What an origin that agreed on something else than HTTP/2 is answered with. */
export type RefuserMemory = (destination: Destination) => Error;

export class Http2ConnectionPool {
  deadlineAt = Number.POSITIVE_INFINITY;
  readonly #settings: DialSettings;
  readonly #limits: OriginLimits;
  readonly #deadlines: Deadlines;
  readonly #onNotHttp2: RefuserMemory;
  readonly #scratch = new FrameScratch();
  readonly #lanes = new Map<string, Lane>();
  #isClosed = false;

  /** `onNotHttp2` is told when an origin agreed on another protocol, and says what its waiters learn. */
  constructor(settings: DialSettings, onNotHttp2: RefuserMemory) {
    this.#settings = settings;
    this.#limits = settings.limits;
    this.#deadlines = settings.deadlines;
    this.#onNotHttp2 = onNotHttp2;
  }

  get size(): number {
    let size = 0;
    for (const { connections } of this.#lanes.values()) size += connections.size;
    return size;
  }

  get idleSize(): number {
    let size = 0;
    for (const { connections } of this.#lanes.values())
      for (const connection of connections) if (connection.isIdle) size += 1;
    return size;
  }

  /** Answers the waiter once, perhaps before this returns. */
  acquire(destination: Destination, waiter: StreamWaiter): void {
    if (this.#isClosed) {
      waiter.onNoConnection(new OriginFailure('proxy_internal_error', 'the edge is shutting down', false));
      return;
    }
    const lane = this.#laneOf(destination);
    for (const connection of lane.connections) {
      if (!connection.hasRoom) continue;
      waiter.onConnection(connection);
      return;
    }
    if (lane.queue.size >= this.#limits.queuePerOriginMax) {
      waiter.onNoConnection(limitReached(destination));
      return;
    }
    lane.queue.set(waiter, this.#deadlines.now() + this.#limits.queueMs);
    this.#watchQueues();
    this.#dialFor(lane);
  }

  /** The waiter no longer wants a connection; it is not answered. */
  withdraw(waiter: StreamWaiter): void {
    for (const lane of this.#lanes.values()) if (lane.queue.delete(waiter)) this.#tidy(lane);
  }

  close(): void {
    this.#isClosed = true;
    const failure = new OriginFailure('proxy_internal_error', 'the edge is shutting down', false);
    for (const lane of [...this.#lanes.values()]) {
      lane.dial?.cancel();
      lane.dial = null;
      this.#refuseAll(lane, failure);
      for (const connection of [...lane.connections]) connection.close();
    }
    this.#deadlines.forget(this);
  }

  /** The first of those who wait may have waited long enough. */
  onDeadline(): void {
    const now = this.#deadlines.now();
    for (const lane of [...this.#lanes.values()]) {
      for (const [waiter, until] of [...lane.queue]) {
        // While a connection is being made, its own deadline holds.
        if (until > now || lane.dial !== null) continue;
        lane.queue.delete(waiter);
        waiter.onNoConnection(limitReached(lane.destination));
      }
      this.#tidy(lane);
    }
    this.#watchQueues();
  }

  #laneOf(destination: Destination): Lane {
    let lane = this.#lanes.get(destination.key);
    if (lane === undefined) {
      lane = { destination, connections: new Set(), queue: new Map(), dial: null };
      this.#lanes.set(destination.key, lane);
    }
    return lane;
  }

  /** Makes another connection for those who wait, one at a time. */
  #dialFor(lane: Lane): void {
    const isFull = lane.connections.size >= ORIGIN_HTTP2_LIMITS.connectionsPerOriginMax;
    // A new one may turn out to have room for all.
    const isAwaited = lane.dial !== null || [...lane.connections].some(({ isNew }) => isNew);
    if (isAwaited || lane.queue.size === 0 || isFull || this.#isClosed) return;
    lane.dial = new Dialer(lane.destination, this.#settings, {
      onConnected: (socket) => {
        lane.dial = null;
        const { alpnProtocol } = socket as { alpnProtocol?: string | false | null };
        if (lane.destination.tls !== null && alpnProtocol !== 'h2') {
          socket.destroy();
          this.#refuseAll(lane, this.#onNotHttp2(lane.destination));
          return;
        }
        const settings = { limits: this.#limits, deadlines: this.#deadlines, scratch: this.#scratch };
        const connection = new Http2OriginConnection(socket, settings, (changed) =>
          this.#changed(lane, changed),
        );
        lane.connections.add(connection);
        this.#serve(lane);
      },
      onDialFailure: (failure) => {
        lane.dial = null;
        this.#refuseAll(lane, failure);
      },
    });
    lane.dial.start();
  }

  /** A connection has room again, takes no more, or is gone. */
  #changed(lane: Lane, connection: Http2OriginConnection): void {
    if (connection.isGoing && (connection.isClosed || connection.isIdle)) lane.connections.delete(connection);
    this.#serve(lane);
  }

  /** Gives those who wait what room there is. */
  #serve(lane: Lane): void {
    for (const [waiter] of lane.queue) {
      const connection = roomIn(lane);
      if (connection === null) break;
      lane.queue.delete(waiter);
      waiter.onConnection(connection);
    }
    this.#dialFor(lane);
    this.#tidy(lane);
  }

  #refuseAll(lane: Lane, failure: Error): void {
    const waiters = [...lane.queue.keys()];
    lane.queue.clear();
    for (const waiter of waiters) waiter.onNoConnection(failure);
    this.#tidy(lane);
  }

  #tidy(lane: Lane): void {
    const isUsed = lane.connections.size > 0 || lane.queue.size > 0 || lane.dial !== null;
    if (!isUsed && this.#lanes.get(lane.destination.key) === lane) this.#lanes.delete(lane.destination.key);
  }

  #watchQueues(): void {
    let first = Number.POSITIVE_INFINITY;
    for (const { queue } of this.#lanes.values()) {
      for (const until of queue.values()) {
        if (until < first) first = until;
        // Whoever came first waits longest.
        break;
      }
    }
    this.deadlineAt = Math.max(first, this.#deadlines.now() + QUEUE_CHECK_MS);
    if (first === Number.POSITIVE_INFINITY) this.#deadlines.forget(this);
    else this.#deadlines.watch(this);
  }
}

/** Queues are looked through no more often than this. */
const QUEUE_CHECK_MS = 100;

function roomIn(lane: Lane): Http2OriginConnection | null {
  for (const connection of lane.connections) if (connection.hasRoom) return connection;
  return null;
}

function limitReached({ host, port }: Destination): OriginFailure {
  return new OriginFailure('connection_limit_reached', `all streams to ${host}:${port} are in use`, false);
}
