/**
 * Which edges are alive, by the lease that each heartbeat renews. Judged by when heartbeats arrive here,
 * not by what the sender's clock says.
 *
 *   unknown --heartbeat--> up --silent longer than the lease--> down --3 heartbeats in a row--> up
 *
 * An edge that has never reported stays `unknown`: it is not ours to judge. Several workers make one edge:
 * it is alive while any of them is. Pure state: time comes in with each call.
 */
import { type EdgeHealth, HEARTBEAT_LEASE_MS, type Heartbeat } from '#core/model/messages.ts';
import type { Pop } from '#core/model/pop.ts';
import { HEALTH_LIMITS } from './limits.ts';

interface EdgeLease {
  readonly edgeId: string;
  readonly popId: string;
  state: EdgeHealth['state'];
  reason: string;
  since: number;
  /** When the last heartbeat arrived; null: never. */
  lastAt: number | null;
  /** Heartbeats since it was last taken as down. */
  risen: number;
}

export class LeaseTable {
  #leases = new Map<string, EdgeLease>();

  /** Takes over the edges of a snapshot: new ones are unknown, those that left are forgotten. */
  follow(pops: readonly Pop[], now: number): void {
    const leases = new Map<string, EdgeLease>();
    for (const pop of pops) {
      for (const edge of pop.edges) {
        const key = keyOf(pop.id, edge.id);
        const fresh: EdgeLease = {
          edgeId: edge.id,
          popId: pop.id,
          state: 'unknown',
          reason: 'has not reported yet',
          since: now,
          lastAt: null,
          risen: 0,
        };
        leases.set(key, this.#leases.get(key) ?? fresh);
      }
    }
    this.#leases = leases;
  }

  /** Renews an edge's lease; heartbeats of edges we do not follow are passed over. True when a state changed. */
  receive(heartbeat: Heartbeat, now: number): boolean {
    const lease = this.#leases.get(keyOf(heartbeat.popId, heartbeat.edgeId));
    if (lease === undefined) return false;
    const isChanged = this.#expire(lease, now);
    lease.lastAt = now;
    if (lease.state === 'up') return isChanged;
    lease.risen += 1;
    if (lease.state === 'down' && lease.risen < HEALTH_LIMITS.heartbeatsToRise) {
      lease.reason = `reports again, ${lease.risen} of ${HEALTH_LIMITS.heartbeatsToRise} heartbeats`;
      return isChanged;
    }
    setState(lease, 'up', 'reports in time', now);
    return true;
  }

  /** Takes over verdicts of another table on edges that have not reported here. True when a state changed. */
  adopt(verdicts: readonly EdgeHealth[], now: number): boolean {
    let isChanged = false;
    for (const { edgeId, popId, state, reason, since } of verdicts) {
      const lease = this.#leases.get(keyOf(popId, edgeId));
      if (lease === undefined || lease.lastAt !== null || state === 'unknown') continue;
      lease.lastAt = state === 'up' ? now : null;
      setState(lease, state, reason, since);
      isChanged = true;
    }
    return isChanged;
  }

  /** Takes silent edges as down. True when a state changed. */
  expire(now: number): boolean {
    let isChanged = false;
    for (const lease of this.#leases.values()) isChanged = this.#expire(lease, now) || isChanged;
    return isChanged;
  }

  #expire(lease: EdgeLease, now: number): boolean {
    if (lease.lastAt === null || now - lease.lastAt <= HEARTBEAT_LEASE_MS) return false;
    lease.risen = 0;
    lease.lastAt = lease.state === 'down' ? null : lease.lastAt;
    const reason = `no heartbeat for more than ${HEARTBEAT_LEASE_MS / 1000} s`;
    if (lease.state !== 'up') {
      lease.reason = reason;
      return false;
    }
    setState(lease, 'down', reason, now);
    return true;
  }

  /** The table as others see it, in the snapshot's order. */
  list(): EdgeHealth[] {
    return Array.from(this.#leases.values(), ({ edgeId, popId, state, reason, since }) => ({
      edgeId,
      popId,
      state,
      reason,
      since,
    }));
  }
}

function keyOf(popId: string, edgeId: string): string {
  return `${popId}/${edgeId}`;
}

function setState(lease: EdgeLease, state: EdgeHealth['state'], reason: string, now: number): void {
  lease.state = state;
  lease.reason = reason;
  lease.since = now;
}
