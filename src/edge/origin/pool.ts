/**
 * The connections of this worker to all origins. Idle ones are reused last in, first out, so that those
 * not needed grow old and go. Connections are bounded per origin and in all; a request beyond that waits
 * its turn in a bounded queue, until a deadline.
 *
 *   acquire ─ idle one? ──────────────▶ use ── release ─▶ first waiter, or idle
 *      └───── room? ── dial ──────────▶ use ── closed ──▶ room for the first waiter
 *               └───── queue ─ deadline ─▶ connection_limit_reached
 */
import { OriginConnection } from './connection.ts';
import type { Timed } from './deadlines.ts';
import type { Destination } from './destination.ts';
import { Dialer, type DialSettings } from './dialer.ts';
import { OriginFailure } from './origin-client.ts';

/** Who waits for a connection. */
export interface ConnectionWaiter {
  onConnection(connection: OriginConnection): void;
  onNoConnection(failure: OriginFailure): void;
}

/** One destination's share of the pool. */
interface Lane {
  readonly destination: Destination;
  readonly idle: OriginConnection[];
  readonly queue: Set<QueuedWaiter>;
  /** Connections open or being made. */
  count: number;
}

class QueuedWaiter implements Timed {
  deadlineAt: number;
  readonly waiter: ConnectionWaiter;
  readonly lane: Lane;
  readonly #onExpired: (queued: QueuedWaiter) => void;

  constructor(
    waiter: ConnectionWaiter,
    lane: Lane,
    deadlineAt: number,
    onExpired: (queued: QueuedWaiter) => void,
  ) {
    this.waiter = waiter;
    this.lane = lane;
    this.deadlineAt = deadlineAt;
    this.#onExpired = onExpired;
  }

  onDeadline(): void {
    this.#onExpired(this);
  }
}

export class ConnectionPool {
  readonly #settings: DialSettings;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes with waiters, in the order in which they get their turn. */
  readonly #waitingLanes = new Set<Lane>();
  readonly #queued = new Map<ConnectionWaiter, QueuedWaiter>();
  /** All idle connections, longest idle first. */
  readonly #idle = new Set<OriginConnection>();
  readonly #connections = new Set<OriginConnection>();
  /** Those that became tunnels: they take no room from requests. */
  readonly #handedOver = new Set<OriginConnection>();
  /** Dials under way, with who asked for them; null once they no longer want it. */
  readonly #dials = new Map<Dialer, ConnectionWaiter | null>();
  readonly #dialOf = new Map<ConnectionWaiter, Dialer>();
  #isClosed = false;

  constructor(settings: DialSettings) {
    this.#settings = settings;
  }

  /** Connections open or being made. */
  get size(): number {
    return this.#connections.size + this.#dials.size;
  }

  get idleSize(): number {
    return this.#idle.size;
  }

  /** Answers the waiter once, perhaps before this returns. `isFresh`: not a connection used before. */
  acquire(destination: Destination, waiter: ConnectionWaiter, isFresh: boolean): void {
    if (this.#isClosed) {
      waiter.onNoConnection(new OriginFailure('proxy_internal_error', 'the edge is shutting down', false));
      return;
    }
    const lane = this.#laneOf(destination);
    const idle = isFresh ? undefined : this.#takeIdle(lane);
    if (idle !== undefined) waiter.onConnection(idle);
    else if (this.#makeRoom(lane)) this.#dial(lane, waiter);
    else this.#enqueue(lane, waiter);
  }

  /** The waiter no longer wants a connection; it is not answered. */
  withdraw(waiter: ConnectionWaiter): void {
    const queued = this.#queued.get(waiter);
    if (queued !== undefined) this.#dequeue(queued);
    const dial = this.#dialOf.get(waiter);
    if (dial === undefined) return;
    // The connection is made all the same: the next request will want one.
    this.#dialOf.delete(waiter);
    this.#dials.set(dial, null);
  }

  /** Takes back a connection that may carry another request within `idleMs`. */
  release(connection: OriginConnection, idleMs: number): void {
    if (this.#isClosed || !connection.isUsable || idleMs <= 0) {
      connection.destroy();
      return;
    }
    const lane = this.#laneOf(connection.destination);
    connection.rest(idleMs);
    const next = firstOf(lane.queue);
    if (next !== null) {
      this.#dequeue(next);
      next.waiter.onConnection(connection);
    } else if (this.#waitingLanes.size > 0 && this.size >= this.#settings.limits.connectionsMax) {
      connection.destroy();
    } else {
      lane.idle.push(connection);
      this.#idle.add(connection);
    }
  }

  /** The connection carries no request any more and is its user's until it closes. */
  handOver(connection: OriginConnection): void {
    this.#connections.delete(connection);
    this.#handedOver.add(connection);
    this.#leave(this.#laneOf(connection.destination));
  }

  /** Closes everything: waiters are refused, requests under way fail. */
  close(): void {
    this.#isClosed = true;
    const failure = new OriginFailure('proxy_internal_error', 'the edge is shutting down', false);
    for (const [dial, waiter] of [...this.#dials]) {
      dial.cancel();
      this.#endDial(dial);
      waiter?.onNoConnection(failure);
    }
    for (const queued of [...this.#queued.values()]) {
      this.#dequeue(queued);
      queued.waiter.onNoConnection(failure);
    }
    for (const connection of [...this.#connections, ...this.#handedOver]) connection.shutDown();
  }

  #laneOf(destination: Destination): Lane {
    let lane = this.#lanes.get(destination.key);
    if (lane === undefined) {
      lane = { destination, idle: [], queue: new Set(), count: 0 };
      this.#lanes.set(destination.key, lane);
    }
    return lane;
  }

  #takeIdle(lane: Lane): OriginConnection | undefined {
    for (;;) {
      const connection = lane.idle.pop();
      if (connection === undefined) return undefined;
      this.#idle.delete(connection);
      if (connection.isUsable) return connection;
      connection.destroy();
    }
  }

  /** Whether this lane may have another connection; closes an idle one for it where that is what it takes. */
  #makeRoom(lane: Lane): boolean {
    const { connectionsMax, connectionsPerOriginMax } = this.#settings.limits;
    if (lane.count >= connectionsPerOriginMax) lane.idle[0]?.destroy();
    if (lane.count >= connectionsPerOriginMax) return false;
    if (this.size >= connectionsMax) firstOf(this.#idle)?.destroy();
    return this.size < connectionsMax;
  }

  #dial(lane: Lane, waiter: ConnectionWaiter): void {
    lane.count += 1;
    // Making room may have emptied the lane, and so taken it off.
    this.#lanes.set(lane.destination.key, lane);
    const dial: Dialer = new Dialer(lane.destination, this.#settings, {
      onConnected: (socket) => {
        const asker = this.#endDial(dial);
        const onClosed = (closed: OriginConnection) => this.#onClosed(closed, lane);
        const connection = new OriginConnection(socket, lane.destination, this.#settings.deadlines, onClosed);
        this.#connections.add(connection);
        if (asker !== null) asker.onConnection(connection);
        else this.release(connection, this.#settings.limits.idleConnectionMs);
      },
      onDialFailure: (failure) => {
        const asker = this.#endDial(dial);
        this.#leave(lane);
        asker?.onNoConnection(failure);
      },
    });
    this.#dials.set(dial, waiter);
    this.#dialOf.set(waiter, dial);
    dial.start();
  }

  #endDial(dial: Dialer): ConnectionWaiter | null {
    const waiter = this.#dials.get(dial) ?? null;
    this.#dials.delete(dial);
    if (waiter !== null) this.#dialOf.delete(waiter);
    return waiter;
  }

  #onClosed(connection: OriginConnection, lane: Lane): void {
    if (this.#handedOver.delete(connection)) return;
    this.#connections.delete(connection);
    if (this.#idle.delete(connection)) lane.idle.splice(lane.idle.indexOf(connection), 1);
    this.#leave(lane);
  }

  /** A connection of the lane is no more: whoever waits longest and may have one gets the room. */
  #leave(lane: Lane): void {
    lane.count -= 1;
    if (lane.count === 0 && lane.queue.size === 0) this.#lanes.delete(lane.destination.key);
    if (this.#isClosed) return;
    for (const waiting of this.#waitingLanes) {
      if (waiting.count >= this.#settings.limits.connectionsPerOriginMax) continue;
      if (this.size >= this.#settings.limits.connectionsMax) return;
      const next = firstOf(waiting.queue);
      if (next === null) continue;
      this.#dequeue(next);
      // To the end of the line, so that one busy origin does not starve the others.
      if (this.#waitingLanes.delete(waiting)) this.#waitingLanes.add(waiting);
      this.#dial(waiting, next.waiter);
      return;
    }
  }

  #enqueue(lane: Lane, waiter: ConnectionWaiter): void {
    const { queuePerOriginMax, queueMs } = this.#settings.limits;
    if (lane.queue.size >= queuePerOriginMax) {
      waiter.onNoConnection(limitReached(lane));
      return;
    }
    const { deadlines } = this.#settings;
    const queued = new QueuedWaiter(waiter, lane, deadlines.now() + queueMs, (expired) => {
      this.#dequeue(expired);
      expired.waiter.onNoConnection(limitReached(expired.lane));
    });
    deadlines.watch(queued);
    this.#lanes.set(lane.destination.key, lane);
    lane.queue.add(queued);
    this.#queued.set(waiter, queued);
    this.#waitingLanes.add(lane);
  }

  #dequeue(queued: QueuedWaiter): void {
    this.#settings.deadlines.forget(queued);
    this.#queued.delete(queued.waiter);
    const { lane } = queued;
    lane.queue.delete(queued);
    if (lane.queue.size > 0) return;
    this.#waitingLanes.delete(lane);
    if (lane.count === 0) this.#lanes.delete(lane.destination.key);
  }
}

function firstOf<Item>(items: Set<Item>): Item | null {
  const first = items.values().next();
  return first.done ? null : first.value;
}

function limitReached(lane: Lane): OriginFailure {
  const detail = `all ${lane.count} connections to ${lane.destination.host}:${lane.destination.port} are in use`;
  return new OriginFailure('connection_limit_reached', detail, false);
}
