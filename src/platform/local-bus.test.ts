import { describe, expect, test } from 'bun:test';
import type { Heartbeat, PartStatus } from '#core/model/messages.ts';
import { createLocalHub } from './local-bus.ts';

const BEAT: Heartbeat = { edgeId: 'a', popId: 'p', worker: 0, sentAt: 1, load: 0 };

function status(part: string): PartStatus {
  return { part, generation: 1, startedAt: 0, residentBytes: 0, storage: null, counters: {} };
}

describe('the bus within a process', () => {
  test('hands every subscriber a copy', () => {
    const hub = createLocalHub();
    const seen: Heartbeat[] = [];
    const unsubscribe = hub.join('nameserver').subscribe('heartbeat', (message) => seen.push(message));
    const edge = hub.join('edge:a/0');
    edge.publish('heartbeat', BEAT);
    expect(seen).toEqual([BEAT]);
    expect(seen[0]).not.toBe(BEAT);
    unsubscribe();
    edge.publish('heartbeat', BEAT);
    expect(seen).toHaveLength(1);
  });

  test('asks every responder, and reports the one that fails and the one that is silent', async () => {
    const hub = createLocalHub();
    hub.join('well').respond('status', () => status('well'));
    hub.join('broken').respond('status', () => {
      throw new Error('out of order');
    });
    hub.join('silent').respond('status', () => new Promise<never>(() => {}));
    const replies = await hub.join('control').request('status', null, { timeoutMs: 20 });
    expect(replies).toEqual([
      { from: 'well', ok: true, answer: status('well') },
      { from: 'broken', ok: false, error: 'out of order' },
      { from: 'silent', ok: false, error: 'no answer within 20 ms' },
    ]);
  });

  test('a part that has left is not asked', async () => {
    const hub = createLocalHub();
    const edge = hub.join('edge:a/0');
    edge.respond('status', () => status('edge:a/0'));
    edge.close();
    expect(await hub.join('control').request('status', null, { timeoutMs: 20 })).toEqual([]);
  });
});
