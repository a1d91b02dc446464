/**
 * The tunnels open in this worker: copies bytes both ways, no faster than the slower side takes them, counts
 * them, and ends what nothing passes through. A direction ends by itself; losing either side ends both.
 *
 *     client.source ──▶ origin.sink        each direction holds one part, beside what its source buffers
 *     client.sink ◀──── origin.source
 */
import { DeadlineSweep, type Guarded } from './connection/deadline-sweep.ts';
import type { BodySink, BodySource, Tunnel } from './exchange.ts';

export interface TunnelLimits {
  /** Open at one time: each holds a connection on either side, and memory for what waits between. */
  readonly tunnelsMax: number;
  /** Milliseconds in which no byte passes in either direction. WebSockets in use ping more often. */
  readonly tunnelIdleMs: number;
  /** Resolution of that time. */
  readonly tickMs: number;
}

export const TUNNEL_LIMITS: TunnelLimits = {
  tunnelsMax: 16_384,
  tunnelIdleMs: 600_000,
  tickMs: 1_000,
};

/** How a tunnel ended: both directions whole, a side lost or given up, or nothing passed for too long. */
export type TunnelEnd = 'whole' | 'cut' | 'idle';

export class Tunnels {
  readonly #limits: TunnelLimits;
  readonly #sweep: DeadlineSweep;
  #size = 0;

  constructor(limits: Partial<TunnelLimits> = {}) {
    this.#limits = { ...TUNNEL_LIMITS, ...limits };
    this.#sweep = new DeadlineSweep(this.#limits.tickMs);
  }

  get size(): number {
    return this.#size;
  }

  /** Takes the room for a tunnel, before it is known whether there will be one; false when there is none. */
  reserve(): boolean {
    if (this.#size >= this.#limits.tunnelsMax) return false;
    this.#size++;
    return true;
  }

  release(): void {
    this.#size--;
  }

  /** Joins the two sides. `run` of what it returns does the rest. */
  join(client: Tunnel, origin: Tunnel): JoinedTunnel {
    return new JoinedTunnel(client, origin, this.#sweep, this.#sweep.ticks(this.#limits.tunnelIdleMs));
  }
}

export class JoinedTunnel implements Guarded {
  bytesFromClient = 0;
  bytesToClient = 0;
  readonly #client: Tunnel;
  readonly #origin: Tunnel;
  readonly #sweep: DeadlineSweep;
  readonly #idleTicks: number;
  #deadline: number;
  #end: TunnelEnd = 'whole';

  constructor(client: Tunnel, origin: Tunnel, sweep: DeadlineSweep, idleTicks: number) {
    this.#client = client;
    this.#origin = origin;
    this.#sweep = sweep;
    this.#idleTicks = idleTicks;
    this.#deadline = sweep.tick + idleTicks;
  }

  /** Resolves when both directions have ended, and says how; never rejects. */
  async run(): Promise<TunnelEnd> {
    this.#sweep.add(this);
    const fromClient = this.#copy(this.#client.source, this.#origin.sink, (bytes) => {
      this.bytesFromClient += bytes;
    });
    const toClient = this.#copy(this.#origin.source, this.#client.sink, (bytes) => {
      this.bytesToClient += bytes;
    });
    await Promise.all([fromClient, toClient]);
    this.#sweep.delete(this);
    return this.#end;
  }

  /** Ends both directions at once, so that either side can tell. */
  cut(reason: string, end: TunnelEnd = 'cut'): void {
    if (this.#end !== 'whole') return;
    this.#end = end;
    for (const side of [this.#client, this.#origin]) {
      side.sink.abort(reason);
      side.source.cancel(reason);
    }
  }

  onTick(tick: number): void {
    if (tick >= this.#deadline) this.cut('nothing passed for too long', 'idle');
  }

  async #copy(source: BodySource, sink: BodySink, count: (bytes: number) => void): Promise<void> {
    try {
      for (;;) {
        const part = await source.read();
        if (part === null) break;
        await sink.write(part);
        count(part.byteLength);
        this.#deadline = this.#sweep.tick + this.#idleTicks;
      }
      await sink.end();
    } catch {
      this.cut('the other side is lost');
    }
  }
}
