import { describe, expect, test } from 'bun:test';
import { HEARTBEAT_LEASE_MS, type Heartbeat } from '#core/model/messages.ts';
import { type Pop, popSchema } from '#core/model/pop.ts';
import { LeaseTable } from './lease-table.ts';

function pop(id: string, ...edges: string[]): Pop {
  return popSchema.parse({
    id,
    name: id,
    edges: edges.map((edge) => ({ id: edge, addresses: ['192.0.2.1'] })),
  });
}

function beat(edgeId: string, worker = 0, popId = 'p'): Heartbeat {
  return { edgeId, popId, worker, sentAt: 0, load: 0 };
}

function table(): LeaseTable {
  const leases = new LeaseTable();
  leases.follow([pop('p', 'a', 'b')], 1_000);
  return leases;
}

const stateOf = (leases: LeaseTable, edgeId: string) => leases.list().find((edge) => edge.edgeId === edgeId);

describe('leases', () => {
  test('an edge that never reported is unknown, however long', () => {
    const leases = table();
    expect(leases.expire(1_000_000)).toBe(false);
    expect(stateOf(leases, 'a')).toEqual({
      edgeId: 'a',
      popId: 'p',
      state: 'unknown',
      reason: 'has not reported yet',
      since: 1_000,
    });
  });

  test('the first heartbeat makes it up, silence beyond the lease down', () => {
    const leases = table();
    expect(leases.receive(beat('a'), 2_000)).toBe(true);
    expect(leases.receive(beat('a'), 3_000)).toBe(false);
    expect(leases.expire(3_000 + HEARTBEAT_LEASE_MS)).toBe(false);
    expect(leases.expire(3_001 + HEARTBEAT_LEASE_MS)).toBe(true);
    expect(stateOf(leases, 'a')).toMatchObject({ state: 'down', since: 3_001 + HEARTBEAT_LEASE_MS });
    expect(leases.expire(9_000_000)).toBe(false);
    expect(stateOf(leases, 'b')?.state).toBe('unknown');
  });

  test('up again needs three heartbeats in a row', () => {
    const leases = table();
    leases.receive(beat('a'), 0);
    leases.expire(10_000);
    expect(leases.receive(beat('a'), 11_000)).toBe(false);
    expect(leases.receive(beat('a'), 12_000)).toBe(false);
    expect(stateOf(leases, 'a')).toMatchObject({ state: 'down', reason: 'reports again, 2 of 3 heartbeats' });
    expect(leases.receive(beat('a'), 13_000)).toBe(true);
    expect(stateOf(leases, 'a')).toMatchObject({ state: 'up', since: 13_000 });
  });

  test('a gap while rising begins the count anew', () => {
    const leases = table();
    leases.receive(beat('a'), 0);
    leases.expire(10_000);
    leases.receive(beat('a'), 11_000);
    leases.receive(beat('a'), 12_000);
    expect(leases.receive(beat('a'), 20_000)).toBe(false);
    expect(leases.receive(beat('a'), 21_000)).toBe(false);
    expect(leases.receive(beat('a'), 22_000)).toBe(true);
  });

  test('a heartbeat that comes after its lease shows the silence before it', () => {
    const leases = table();
    leases.receive(beat('a'), 0);
    expect(leases.receive(beat('a'), 60_000)).toBe(true);
    expect(stateOf(leases, 'a')?.state).toBe('down');
  });

  test('any worker keeps the edge up', () => {
    const leases = table();
    for (let now = 0; now < 20_000; now += 1_000) {
      leases.receive(beat('a', now < 5_000 ? 0 : 1), now);
      expect(leases.expire(now)).toBe(false);
    }
    expect(stateOf(leases, 'a')?.state).toBe('up');
  });

  test('a snapshot brings edges and takes them; those that stay keep their state', () => {
    const leases = table();
    leases.receive(beat('a'), 2_000);
    leases.follow([pop('p', 'a', 'c')], 3_000);
    expect(leases.list().map(({ edgeId, state }) => [edgeId, state])).toEqual([
      ['a', 'up'],
      ['c', 'unknown'],
    ]);
  });

  test('heartbeats of edges nobody configured are passed over', () => {
    const leases = table();
    expect(leases.receive(beat('stranger'), 0)).toBe(false);
    expect(leases.receive(beat('a', 0, 'other'), 0)).toBe(false);
    expect(leases.list()).toHaveLength(2);
  });

  test('verdicts of another table hold for edges that have not reported here', () => {
    const other = table();
    other.receive(beat('a'), 2_000);
    other.receive(beat('b'), 2_000);
    other.expire(2_000 + HEARTBEAT_LEASE_MS + 1);
    other.receive(beat('b'), 9_000);
    other.receive(beat('b'), 9_001);
    other.receive(beat('b'), 9_002);
    const leases = table();
    expect(leases.adopt(other.list(), 10_000)).toBe(true);
    expect(leases.list()).toEqual(other.list());
    // What was up has to go on reporting here.
    expect(leases.expire(10_000 + HEARTBEAT_LEASE_MS + 1)).toBe(true);
    expect(stateOf(leases, 'b')?.state).toBe('down');
  });

  test('what has been heard here outweighs another table, and so does knowing nothing', () => {
    const other = table();
    other.receive(beat('a'), 2_000);
    other.expire(2_000 + HEARTBEAT_LEASE_MS + 1);
    const leases = table();
    leases.receive(beat('a'), 10_000);
    expect(leases.adopt(other.list(), 10_000)).toBe(false);
    expect(stateOf(leases, 'a')?.state).toBe('up');
    expect(stateOf(leases, 'b')?.state).toBe('unknown');
  });
});
