/**
 * The bus within one process: what the supervisor carries over process channels, here by direct calls.
 * Messages are copied by `structuredClone`, so that no part can lean on sharing memory with another.
 */
import { errorMessage } from '#core/base/error-message.ts';
import type { PartName } from '#core/model/messages.ts';
import { type Bus, type PublicationTopic, RETAINED_TOPICS, type RequestTopic } from './bus.ts';

type Listener = (message: unknown, from: PartName) => void;
type Responder = (question: unknown, from: PartName) => unknown;

interface Member {
  readonly listeners: Map<string, Set<Listener>>;
  readonly responders: Map<string, Responder>;
}

export interface LocalHub {
  /** A bus for one part. Joining again under a live name replaces the former member. */
  join(self: PartName): Bus;
}

/** A hub that connects the parts living in this process. */
export function createLocalHub(): LocalHub {
  const members = new Map<PartName, Member>();
  const retained = new Map<string, { message: unknown; from: PartName }>();
  return { join: (self) => joinHub(self, members, retained) };
}

function joinHub(
  self: PartName,
  members: Map<PartName, Member>,
  retained: Map<string, { message: unknown; from: PartName }>,
): Bus {
  const member: Member = { listeners: new Map(), responders: new Map() };
  members.set(self, member);
  const bus = {
    self,
    publish(topic: PublicationTopic, message: unknown): void {
      if (RETAINED_TOPICS.has(topic)) retained.set(topic, { message: structuredClone(message), from: self });
      for (const other of [...members.values()]) {
        for (const listener of other.listeners.get(topic) ?? []) listener(structuredClone(message), self);
      }
    },
    subscribe(topic: PublicationTopic, listener: Listener): () => void {
      const listeners = member.listeners.get(topic) ?? new Set<Listener>();
      member.listeners.set(topic, listeners);
      listeners.add(listener);
      const last = retained.get(topic);
      if (last !== undefined) listener(structuredClone(last.message), last.from);
      return () => listeners.delete(listener);
    },
    request(
      topic: RequestTopic,
      question: unknown,
      options: { timeoutMs: number; to?: readonly PartName[] },
    ) {
      const asked = [...members].filter(
        ([name, other]) =>
          other.responders.has(topic) && (options.to === undefined || options.to.includes(name)),
      );
      return Promise.all(
        asked.map(([name, other]) => ask(self, name, other, topic, question, options.timeoutMs)),
      );
    },
    respond(topic: RequestTopic, responder: Responder): void {
      member.responders.set(topic, responder);
    },
    close(): void {
      if (members.get(self) === member) members.delete(self);
      member.listeners.clear();
      member.responders.clear();
    },
  };
  // The contract's generics tie each topic to its message; inside, every topic is handled alike.
  return bus as unknown as Bus;
}

async function ask(
  self: PartName,
  name: PartName,
  member: Member,
  topic: string,
  question: unknown,
  timeoutMs: number,
): Promise<{ from: PartName; ok: boolean; answer?: unknown; error?: string }> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    const responder = member.responders.get(topic);
    if (responder === undefined) throw new Error('left the bus');
    const answer = await Promise.race([responder(structuredClone(question), self), late]);
    return { from: name, ok: true, answer: structuredClone(answer) };
  } catch (error) {
    return { from: name, ok: false, error: errorMessage(error) };
  } finally {
    clearTimeout(timer);
  }
}
