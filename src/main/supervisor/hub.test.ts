import { describe, expect, test } from 'bun:test';
import type { SupervisorMessage } from '#platform/process-channel.ts';
import { Hub, type Standing } from './hub.ts';
import { SUPERVISOR_LIMITS } from './limits.ts';

/** A part that records what the hub sends it. */
function join(hub: Hub, name: string, standing: Standing = 'serving') {
  const received: SupervisorMessage[] = [];
  const member = hub.join(name, standing, (message) => received.push(message));
  return { received, member, say: hub.receive.bind(hub, member) };
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
    hub.leave(control.member);
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
    hub.leave(edge.member);
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

describe('rollups', () => {
  const topic = 'rollups';

  test('wait for somebody who counts them, and are counted once', () => {
    const hub = new Hub();
    const edge = join(hub, 'edge:a/0');
    edge.say({ kind: 'publish', topic, message: ['first'] });
    edge.say({ kind: 'publish', topic, message: ['second'] });
    const control = join(hub, 'control');
    control.say({ kind: 'subscribe', topic });
    edge.say({ kind: 'publish', topic, message: ['third'] });
    const deliver = (message: unknown) => ({ kind: 'deliver', topic, message, from: 'edge:a/0' });
    expect(control.received as unknown[]).toEqual([['first'], ['second'], ['third']].map(deliver));
    hub.leave(control.member);
    const again = join(hub, 'control');
    again.say({ kind: 'subscribe', topic });
    expect(again.received).toEqual([]);
  });

  test('wait for the successor of a control plane that is retired, and not beyond their bound', () => {
    const hub = new Hub();
    const edge = join(hub, 'edge:a/0');
    const control = join(hub, 'control');
    control.say({ kind: 'subscribe', topic });
    hub.retire(control.member, 'control~former1');
    const many = new Array(SUPERVISOR_LIMITS.rollupsKept - 1).fill(0);
    edge.say({ kind: 'publish', topic, message: many });
    edge.say({ kind: 'publish', topic, message: ['one', 'too many'] });
    edge.say({ kind: 'publish', topic, message: ['fits'] });
    expect(control.received).toEqual([]);
    const next = join(hub, 'control~next', 'next');
    next.say({ kind: 'subscribe', topic });
    expect(next.received.map((message) => message.kind === 'deliver' && message.message)).toEqual([
      many,
      ['fits'],
    ]);
  });
});

describe('while a part is replaced', () => {
  const ask = (topic: string) =>
    ({ kind: 'request', id: 1, topic, question: null, timeoutMs: 60_000, to: null }) as const;

  /** Control, and an edge in its three standings, all of which would answer everything. */
  function replacing() {
    const hub = new Hub();
    const control = join(hub, 'control');
    const former = join(hub, 'edge:a/0');
    const serving = join(hub, 'edge:a/0~next', 'next');
    hub.retire(former.member, 'edge:a/0~former1');
    hub.promote(serving.member, 'edge:a/0');
    const next = join(hub, 'edge:a/0~next', 'next');
    const edges = [former, serving, next];
    for (const edge of edges) {
      for (const topic of ['purge', 'status', 'explain-cache', 'health'])
        edge.say({ kind: 'respond', topic });
      edge.say({ kind: 'subscribe', topic: 'snapshot' });
    }
    return { hub, control, former, serving, next, edges };
  }

  test('each process that may serve is asked to purge, under a name of its own', () => {
    const { control, edges } = replacing();
    control.say(ask('purge'));
    for (const edge of edges) {
      const asked = edge.received.find((message) => message.kind === 'ask');
      edge.say({ kind: 'answer', id: asked?.id ?? 0, ok: true, answer: 'done' });
    }
    const [replies] = control.received;
    const names = replies?.kind === 'replies' ? replies.replies.map(({ from }) => from) : [];
    expect(names).toEqual(['edge:a/0~former1', 'edge:a/0', 'edge:a/0~next']);
  });

  test('one process speaks for the part; the former says how it is', () => {
    const { control, edges } = replacing();
    const asked = (topic: string) => {
      control.say(ask(topic));
      return edges.map((edge) =>
        edge.received.some((message) => message.kind === 'ask' && message.topic === topic),
      );
    };
    expect(asked('explain-cache')).toEqual([false, true, false]);
    expect(asked('health')).toEqual([false, true, false]);
    expect(asked('status')).toEqual([true, true, false]);
  });

  test('all of them follow the configuration', () => {
    const { control, edges } = replacing();
    control.say({ kind: 'publish', topic: 'snapshot', message: { generation: 7 } });
    for (const edge of edges) {
      expect(edge.received).toEqual([
        { kind: 'deliver', topic: 'snapshot', message: { generation: 7 }, from: 'control' },
      ]);
    }
  });

  test('a process that ends before it serves, or after, is missed by nobody', () => {
    const { hub, control, former, serving, next } = replacing();
    control.say(ask('purge'));
    hub.leave(former.member);
    hub.leave(next.member);
    const asked = serving.received.find((message) => message.kind === 'ask');
    serving.say({ kind: 'answer', id: asked?.id ?? 0, ok: true, answer: 'done' });
    expect(control.received).toEqual([
      { kind: 'replies', id: 1, replies: [{ from: 'edge:a/0', ok: true, answer: 'done' }] },
    ]);
  });

  test('one that was asked before it was retired may end without an answer', () => {
    const hub = new Hub();
    const control = join(hub, 'control');
    const edge = join(hub, 'edge:a/0');
    edge.say({ kind: 'respond', topic: 'purge' });
    control.say(ask('purge'));
    hub.retire(edge.member, 'edge:a/0~former1');
    hub.leave(edge.member);
    expect(control.received).toEqual([{ kind: 'replies', id: 1, replies: [] }]);
  });

  test('the generation in force is that of the last snapshot', () => {
    const { hub, control } = replacing();
    expect(hub.generation).toBe(0);
    control.say({ kind: 'publish', topic: 'snapshot', message: { generation: 7 } });
    control.say({ kind: 'publish', topic: 'snapshot', message: { generation: 8 } });
    expect(hub.generation).toBe(8);
  });
});
