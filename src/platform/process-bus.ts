/**
 * The bus as a part sees it when it runs in a process of its own: every message goes over the process
 * channel to the supervisor, which carries it to the others (`main/supervisor/hub.ts`).
 */
import { errorMessage } from '#core/base/error-message.ts';
import type { PartName } from '#core/model/messages.ts';
import type { Bus, PublicationTopic, RequestTopic } from './bus.ts';
import type { ChannelReply, PartMessage, SupervisorMessage } from './process-channel.ts';

type Listener = (message: unknown, from: PartName) => void;
type Responder = (question: unknown, from: PartName) => unknown;

/** The supervisor's own deadline is the request's; this margin covers a supervisor that is gone. */
const SUPERVISOR_MARGIN_MS = 1_000;

/** Tells the supervisor something. Lost without harm when the supervisor is gone: the part is then ending. */
export function tellSupervisor(message: PartMessage): void {
  if (process.connected) process.send?.(message);
}

export function createProcessBus(self: PartName): Bus {
  const listeners = new Map<string, Set<Listener>>();
  const responders = new Map<string, Responder>();
  const pending = new Map<number, (replies: readonly ChannelReply[]) => void>();
  let lastId = 0;

  function onMessage(message: SupervisorMessage): void {
    if (message.kind === 'deliver') {
      for (const listener of listeners.get(message.topic) ?? []) listener(message.message, message.from);
    } else if (message.kind === 'ask') {
      void answer(message.id, responders.get(message.topic), message.question, message.from);
    } else if (message.kind === 'replies') {
      pending.get(message.id)?.(message.replies);
    }
  }
  process.on('message', onMessage);

  const bus = {
    self,
    publish(topic: PublicationTopic, message: unknown): void {
      tellSupervisor({ kind: 'publish', topic, message });
    },
    subscribe(topic: PublicationTopic, listener: Listener): () => void {
      const known = listeners.get(topic) ?? new Set<Listener>();
      listeners.set(topic, known.add(listener));
      tellSupervisor({ kind: 'subscribe', topic });
      return () => known.delete(listener);
    },
    request(
      topic: RequestTopic,
      question: unknown,
      options: { timeoutMs: number; to?: readonly PartName[] },
    ) {
      const id = ++lastId;
      return new Promise<readonly ChannelReply[]>((resolve) => {
        const finish = (replies: readonly ChannelReply[]) => {
          clearTimeout(timer);
          pending.delete(id);
          resolve(replies);
        };
        const timer = setTimeout(() => finish([]), options.timeoutMs + SUPERVISOR_MARGIN_MS);
        pending.set(id, finish);
        const { timeoutMs, to = null } = options;
        tellSupervisor({ kind: 'request', id, topic, question, timeoutMs, to });
      });
    },
    respond(topic: RequestTopic, responder: Responder): void {
      responders.set(topic, responder);
      tellSupervisor({ kind: 'respond', topic });
    },
    close(): void {
      process.off('message', onMessage);
      listeners.clear();
      responders.clear();
      for (const finish of [...pending.values()]) finish([]);
    },
  };
  // The contract's generics tie each topic to its message; on the channel every topic is handled alike.
  return bus as unknown as Bus;
}

async function answer(
  id: number,
  responder: Responder | undefined,
  question: unknown,
  from: PartName,
): Promise<void> {
  try {
    if (responder === undefined) throw new Error('left the bus');
    tellSupervisor({ kind: 'answer', id, ok: true, answer: await responder(question, from) });
  } catch (error) {
    tellSupervisor({
      kind: 'answer',
      id,
      ok: false,
      error: errorMessage(error),
    });
  }
}
