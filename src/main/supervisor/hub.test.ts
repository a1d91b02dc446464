import { describe, expect, test } from 'bun:test';
import type { SupervisorMessage } from '#platform/process-channel.ts';
import { Hub } from './hub.ts';

/** A part that records what the hub sends it. */
function join(hub: Hub, name: string) {
  const received: SupervisorMessage[] = [];
  hub.join(name, (message) => received.push(message));
  return { received, say: hub.receive.bind(hub, name) };
}

const SOON_MS = 2_000;

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + SOON_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('condition did not come true');
    await Bun.sleep(1);
  }
}

describe('publications', () => {
  test('reach every subscriber and nobody else', () => {
    const hub = new Hub();
    const a = join(hub, 'a');
    const b = join(hub, 'b');
    const c = join(hub, 'c');
    b.say({ kind: 'subscribe', topic: 'heartbeat' });
    a.say({ kind: 'publish', topic: 'heartbeat', message: 1 });
    expect(b.received).toEqual([{ kind: 'deliver', topic: 'heartbeat', message: 1, from: 'a' }]);
    expect(c.received).toEqual([]);
  });

  test('the last message of a retained topic awaits a newcomer, even when its publisher is gone', () => {
    const hub = new Hub();
    const control = join(hub, 'control');
    control.say({ kind: 'publish', topic: 'snapshot', message: 'old' });
    control.say({ kind: 'publish', topic: 'snapshot', message: 'new' });
    control.say({ kind: 'publish', topic: 'heartbeat', message: 'passing' });
    hub.leave('control');
    const edge = join(hub, 'edge');
    edge.say({ kind: 'subscribe', topic: 'snapshot' });
    edge.say({ kind: 'subscribe', topic: 'heartbeat' });
    expect(edge.received).toEqual([{ kind: 'deliver', topic: 'snapshot', message: 'new', from: 'control' }]);
  });
});

describe('requests', () => {
  const question = {
    kind: 'request',
    id: 7,
    topic: 'purge',
    question: 'q',
    timeoutMs: 60_000,
    to: null,
  } as const;

  /** Answers every question a part was asked. */
  function answerAll(part: ReturnType<typeof join>, answer: unknown) {
    for (const message of part.received) {
      if (message.kind === 'ask') part.say({ kind: 'answer', id: message.id, ok: true, answer });
    }
  }

  test('gather the answer of every responder', () => {
    const hub = new Hub();
    const control = join(hub, 'control');
    const edges = ['edge:a/0', 'edge:b/0'].map((name) => join(hub, name));
    for (const edge of edges) edge.say({ kind: 'respond', topic: 'purge' });
    control.say(question);
    expect(control.received).toEqual([]);
    for (const edge of edges) answerAll(edge, 'done');
    expect(control.received).toEqual([
      {
        kind: 'replies',
        id: 7,
        replies: [
          { from: 'edge:a/0', ok: true, answer: 'done' },
          { from: 'edge:b/0', ok: true, answer: 'done' },
        ],
      },
    ]);
  });

  test('are answered with nothing when nobody responds', () => {
    const hub = new Hub();
    const control = join(hub, 'control');
    control.say(question);
    expect(control.received).toEqual([{ kind: 'replies', id: 7, replies: [] }]);
  });

  test('a part that dies while asked counts as failed at once', () => {
    const hub = new Hub();
    const control = join(hub, 'control');
    const edge = join(hub, 'edge:a/0');
    edge.say({ kind: 'respond', topic: 'purge' });
    control.say(question);
    hub.leave('edge:a/0');
    expect(control.received).toEqual([
      { kind: 'replies', id: 7, replies: [{ from: 'edge:a/0', ok: false, error: 'the part ended' }] },
    ]);
  });

  test('a silent part counts as failed when time is up, and its late answer is dropped', async () => {
    const hub = new Hub();
    const control = join(hub, 'control');
    const edge = join(hub, 'edge:a/0');
    edge.say({ kind: 'respond', topic: 'purge' });
    control.say({ ...question, timeoutMs: 5 });
    await until(() => control.received.length > 0);
    answerAll(edge, 'late');
    expect(control.received).toEqual([
      { kind: 'replies', id: 7, replies: [{ from: 'edge:a/0', ok: false, error: 'no answer within 5 ms' }] },
    ]);
  });

  test('reach only those that are named', () => {
    const hub = new Hub();
    const control = join(hub, 'control');
    const a = join(hub, 'edge:a/0');
    const b = join(hub, 'edge:b/0');
    for (const edge of [a, b]) edge.say({ kind: 'respond', topic: 'purge' });
    control.say({ ...question, to: ['edge:b/0'] });
    expect(a.received).toEqual([]);
    expect(b.received).toHaveLength(1);
    answerAll(b, 'done');
    expect(control.received).toHaveLength(1);
  });

  test('an answer to a question that was put to another part is ignored', () => {
    const hub = new Hub();
    const control = join(hub, 'control');
    const edge = join(hub, 'edge:a/0');
    const liar = join(hub, 'liar');
    edge.say({ kind: 'respond', topic: 'purge' });
    control.say(question);
    for (const message of edge.received) {
      if (message.kind === 'ask') liar.say({ kind: 'answer', id: message.id, ok: true, answer: 'forged' });
    }
    expect(control.received).toEqual([]);
    answerAll(edge, 'true');
    expect(control.received).toHaveLength(1);
  });
});
